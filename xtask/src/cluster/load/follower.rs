//! One client that follows a collection, by the newest of each resource or by every version.

use std::{thread, time::Duration};

use super::{
    Done, Stage,
    places::COLLECTIONS,
    told::Told,
    wire::{Answer, Ask, ask},
};
use crate::cluster::history::{Follower, Page, Position, Span};

/// How long a server holds its question until there is news, in seconds.
const WAIT_SECONDS: u32 = 3;
/// Before it asks again where nobody answered.
const PATIENCE: Duration = Duration::from_millis(150);

/// Follows until the load is over.
pub(super) fn run(stage: &Stage, number: usize) -> Done {
    let collection = number % COLLECTIONS.len();
    let every_version = (number / COLLECTIONS.len()) % 2 == 1;
    let mut done = Done::default();
    let (Some(name), Some(begin)) = (COLLECTIONS.get(collection), stage.begin.get(collection))
    else {
        return done;
    };
    let collection = u32::try_from(collection).unwrap_or(u32::MAX);
    let mut target = format!("/v1/{name}/changes/{begin}{}", keys(every_version));
    let mut pages = Vec::new();
    while !stage.is_over() {
        let sent = stage.now();
        let answer = ask(stage.door(), &Ask::fetch(&target));
        let span = Span {
            sent,
            answered: Some(stage.now()),
        };
        match judge(&answer, collection) {
            Next::Page(told) => {
                let (onward, at_head) = told.onward;
                let Some(after) = position(&target) else {
                    break;
                };
                let position = told.position;
                pages.push(Page {
                    span,
                    after,
                    position,
                    at_head,
                    items: told.items,
                });
                target = waiting(onward, at_head);
            }
            Next::Elsewhere(location) => target = location,
            Next::Again => {
                done.failed.push(stage.failed("following", &answer));
                thread::sleep(PATIENCE);
            }
            Next::Lost(what) => {
                done.complaints.push(format!("following {target}: {what}"));
                break;
            }
        }
    }
    done.record.followers.push(Follower {
        collection,
        every_version,
        pages,
    });
    done
}

fn keys(every_version: bool) -> String {
    if every_version {
        format!("?versions=all&wait={WAIT_SECONDS}")
    } else {
        format!("?wait={WAIT_SECONDS}")
    }
}

/// A page that others share doesn't say that its reader will wait.
fn waiting(onward: String, at_head: bool) -> String {
    if !at_head || onward.contains("wait=") {
        return onward;
    }
    let joint = if onward.contains('?') { '&' } else { '?' };
    format!("{onward}{joint}wait={WAIT_SECONDS}")
}

/// What to do after an answer.
enum Next {
    Page(Told),
    Elsewhere(String),
    Again,
    Lost(String),
}

fn judge(answer: &Answer, collection: u32) -> Next {
    let Answer::Told(response) = answer else {
        return Next::Again;
    };
    match (response.status, response.field("location")) {
        (200, _) => Told::read(collection, response).map_or_else(
            || Next::Lost(String::from_utf8_lossy(&response.body).into_owned()),
            Next::Page,
        ),
        (308, Some(location)) => Next::Elsewhere(location.to_owned()),
        (500..600, _) => Next::Again,
        // Nothing is forgotten here, and there is one history: 410 is a fault as well.
        (status, _) => Next::Lost(status.to_string()),
    }
}

/// The position in a URL of changes.
fn position(target: &str) -> Option<Position> {
    let path = target.split('?').next()?;
    Position::parse(path.rsplit('/').next()?)
}
