//! A flow whose last step is sent a thousand times at once, to three nodes in turns, with one sealed state: it is
//! carried out once, and everybody is told of that.

use std::{collections::BTreeMap, net::SocketAddr, sync::Barrier, thread, time::Duration};

use serde_json::{Value, json};

use super::site::Site;
use crate::{
    cluster::load::{Answer, Ask, ask, put},
    say,
};

const TIMES: usize = 1000;
/// Before one asks again who was told that it is too much.
const PAUSE: Duration = Duration::from_millis(100);
const FLOW: &str = r#"{ "version": 1, "title": "Guest book", "steps": [
    { "id": "who", "title": "Who are you?", "schema": { "type": "object", "required": ["name"],
      "properties": { "name": { "type": "string" } } } },
    { "id": "end", "title": "All well?" } ],
  "transaction": { "operations": [ { "method": "PUT", "href": { "$cel": "base + '/guests/' + flow" },
    "ifNoneMatch": "*", "value": { "name": { "$answer": "/who/name" } } } ] } }"#;

/// Walks to the last step, each step at another node, and sends that by everybody at once.
///
/// # Errors
/// When it was carried out twice, or not at all, or somebody was told something else than the others.
pub(super) fn check(site: &Site) -> Result<(), String> {
    let nodes = site.addresses()?;
    let [one, other, third] = nodes.as_slice() else {
        return Err("there are three nodes".to_owned());
    };
    put(*one, "/v1/-/collections/flows", "{}".to_owned())?;
    put(*one, "/v1/-/collections/guests", "{}".to_owned())?;
    put(*other, "/v1/flows/guests", FLOW.to_owned())?;
    let begun = read(*third, &Ask::fetch("/v1/-/flows/guests"))?;
    let last = read(*one, &step(&begun, &json!({ "name": "Ada" }))?)?;
    let told = told(&nodes, &step(&last, &json!({}))?)?;
    let guests = read(*other, &Ask::fetch("/v1/guests"))?;
    let count = guests.get("items").and_then(Value::as_array).map(Vec::len);
    say::talk(&format!("{told:?}; {} registered", count.unwrap_or(0)));
    if count == Some(1) && is_one(&told) {
        return Ok(());
    }
    Err(format!("not carried out once: {told:?}, {guests}"))
}

/// Whether somebody made it (201), and all others were told of that (200).
fn is_one(told: &Told) -> bool {
    let mut places = told.keys().map(|(_, location)| location);
    let first = places.next();
    let made = told.iter().filter(|((status, _), _)| *status == 201);
    made.map(|(_, count)| count).sum::<usize>() == 1
        && told.keys().all(|(status, _)| matches!(status, 200 | 201))
        && first.is_some_and(Option::is_some)
        && places.all(|location| Some(location) == first)
}

/// What the step's page says to send, with these answers.
fn step(page: &Value, input: &Value) -> Result<Ask, String> {
    let member = |name: &str| page.get(name).and_then(Value::as_str);
    let (Some(submit), Some(state)) = (member("submit"), member("state")) else {
        return Err(format!("no step: {page}"));
    };
    let body = json!({ "state": state, "input": input }).to_string();
    let mut ask = Ask::put(submit, body);
    ask.method = "POST";
    Ok(ask)
}

fn read(node: SocketAddr, asked: &Ask) -> Result<Value, String> {
    let answer = ask(node, asked);
    let Answer::Told(response) = &answer else {
        return Err(format!("{}: {answer:?}", asked.target));
    };
    serde_json::from_slice(&response.body).map_err(|error| format!("{error}: {answer:?}"))
}

/// How often which status and `Location` was told.
type Told = BTreeMap<(u16, Option<String>), usize>;

fn told(nodes: &[SocketAddr], last: &Ask) -> Result<Told, String> {
    let together = Barrier::new(TIMES);
    let send = |node: SocketAddr| {
        together.wait();
        until_taken(node, last)
    };
    let answers = thread::scope(|scope| {
        let doors = nodes.iter().cycle().take(TIMES);
        let senders: Vec<_> = doors.map(|node| scope.spawn(|| send(*node))).collect();
        let joined = senders.into_iter().map(|sender| sender.join());
        joined.collect::<Result<Vec<Answer>, _>>()
    });
    let mut told = Told::new();
    for answer in answers.map_err(|_panic| "a sender has panicked")? {
        let Answer::Told(response) = &answer else {
            return Err(format!("{answer:?}"));
        };
        let location = response.field("location").map(str::to_owned);
        *told.entry((response.status, location)).or_default() += 1;
    }
    Ok(told)
}

/// A node that has too much to do says so, and is asked again.
fn until_taken(node: SocketAddr, asked: &Ask) -> Answer {
    loop {
        match ask(node, asked) {
            Answer::Told(response) if response.status == 503 => thread::sleep(PAUSE),
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_made_it_and_all_others_were_told_of_that() {
        let told = |all: &[(u16, &str, usize)]| -> Told {
            let all = all.iter();
            all.map(|(status, at, count)| ((*status, Some((*at).to_owned())), *count))
                .collect()
        };
        assert!(is_one(&told(&[(201, "/t/1", 1), (200, "/t/1", 999)])));
        assert!(!is_one(&told(&[(201, "/t/1", 2), (200, "/t/1", 998)])));
        assert!(!is_one(&told(&[(201, "/t/1", 1), (200, "/t/2", 999)])));
        assert!(!is_one(&told(&[(201, "/t/1", 1), (500, "/t/1", 999)])));
        assert!(!is_one(&told(&[(200, "/t/1", 1000)])));
    }
}
