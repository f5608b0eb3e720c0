//! Who follows a feed holds exactly what they may read, as time passes: as resources change, and as their own rights and
//! the rules do.

use milepost_server::{Limits, Subject};
use proptest::{
    prelude::{Just, Strategy, any, prop_oneof},
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use super::{
    somebody,
    world::{commit, key},
};
use crate::{
    follower::Follower,
    scene::{Scene, Serving},
};

/// What happens between two looks of the follower.
#[derive(Clone, Debug)]
enum Turn {
    Write(usize, Option<(usize, bool)>),
    /// From now on the follower is of another team.
    Team(usize),
    /// From now on another rule holds.
    Rule(usize),
    Look,
}

const STARTS: [&str; 3] = ["/v1/notes", "/v1/notes?shared=true", "/v1/notes?pageSize=1"];
const TEAMS: [&str; 3] = ["red", "blue", "green"];
const RULES: [&str; 4] = [
    "resource.team == subject.claims.team",
    "resource.shared || resource.team == subject.claims.team",
    "subject.claims.team == 'red'",
    "true",
];

fn may_read(rule: usize, team: &str, document: &Value) -> bool {
    match rule {
        0 => document["team"] == team,
        1 => document["shared"] == true || document["team"] == team,
        2 => team == "red",
        _ => true,
    }
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let value = prop_oneof![4 => (0..3_usize, any::<bool>()).prop_map(Some), 1 => Just(None)];
    let turn = prop_oneof![
        6 => (0..4_usize, value).prop_map(|(id, value)| Turn::Write(id, value)),
        1 => (0..3_usize).prop_map(Turn::Team),
        1 => (0..4_usize).prop_map(Turn::Rule),
        4 => Just(Turn::Look),
    ];
    proptest::collection::vec(turn, 10..40)
}

/// Everybody who follows, and what they should hold.
struct Following {
    scene: Scene,
    rule: usize,
    team: &'static str,
    stands: [Option<Value>; 4],
    followers: Vec<Follower>,
}

impl Following {
    async fn begin() -> Self {
        let scene = Scene::in_memory(Limits::default(), Serving::TwoInTurns);
        let mut following = Self {
            scene,
            rule: 0,
            team: "red",
            stands: [const { None }; 4],
            followers: Vec::new(),
        };
        following.scene.define("notes", &definition(0)).await;
        let remembered = following.ask("/v1/-/changes").await.json();
        let everything = remembered["snapshot"].as_str().unwrap();
        for url in STARTS.into_iter().chain([everything]) {
            following.followers.push(Follower::starting_at(url));
        }
        following
    }

    fn subject(&self) -> Subject {
        somebody("ada", json!({ "team": self.team }))
    }

    async fn ask(&self, url: &str) -> crate::scene::Reply {
        self.scene
            .ask_as(&self.subject(), ("GET", url), &[], "")
            .await
    }

    async fn turn(&mut self, step: usize, turn: &Turn) {
        match turn {
            Turn::Write(id, value) => self.write(step, *id, *value).await,
            Turn::Team(team) => self.team = TEAMS[*team],
            Turn::Rule(rule) => {
                self.rule = *rule;
                let url = "/v1/-/collections/notes";
                self.scene.write(url, &definition(*rule).to_string()).await;
            }
            Turn::Look => self.look().await,
        }
    }

    async fn write(&mut self, step: usize, id: usize, value: Option<(usize, bool)>) {
        let value = value
            .map(|(team, shared)| json!({ "team": TEAMS[team], "shared": shared, "step": step }));
        if value.is_none() && self.stands[id].is_none() {
            return;
        }
        commit(
            &self.scene,
            vec![(key("notes", &format!("n{id}")), value.clone())],
        )
        .await;
        self.stands[id] = value;
    }

    /// Every follower reads on to the end, and then holds exactly what may be read.
    async fn look(&mut self) {
        for (at, follower) in self.followers.clone().into_iter().enumerate() {
            let asked = follower.bookmark.clone();
            let start = STARTS.get(at).copied().unwrap_or_default();
            let follower = self.read_on(follower, start).await;
            let all = follower.held.iter();
            let notes = all.filter(|(href, _)| href.starts_with("/v1/notes/"));
            let held: Vec<(String, Value)> = notes
                .map(|(href, (_, value))| (href.clone(), value.clone()))
                .collect();
            assert_eq!(held, self.readable(at == 1), "follower {at} from {asked}");
            self.followers[at] = follower;
        }
    }

    async fn read_on(&self, mut follower: Follower, start: &str) -> Follower {
        for _ in 0..60 {
            let url = follower.bookmark.clone();
            let reply = self.ask(&url).await;
            if reply.status == 403 {
                // Told that nothing may be read any more: what is held is dropped.
                return Follower::starting_at(start);
            }
            follower.is_up_to_date = false;
            follower.take(&reply);
            // Behind the last page of a snapshot come the changes since.
            if follower.is_up_to_date && reply.json()["kind"] == "changes" {
                return follower;
            }
        }
        panic!("{} never ends", follower.bookmark);
    }

    fn readable(&self, only_shared: bool) -> Vec<(String, Value)> {
        let all = self.stands.iter().enumerate();
        let there =
            all.filter_map(|(id, value)| Some((format!("/v1/notes/n{id}"), value.clone()?)));
        let readable = there.filter(|(_, value)| may_read(self.rule, self.team, value));
        readable
            .filter(|(_, value)| !only_shared || value["shared"] == true)
            .collect()
    }
}

fn definition(rule: usize) -> Value {
    let rules = json!({ "read": RULES[rule], "write": "true" });
    json!({ "indexes": { "shared": "/shared" }, "preconditions": "optional", "rules": rules })
}

#[test]
fn who_follows_holds_exactly_what_they_may_read_whatever_changes() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 12,
        failure_persistence: None,
        ..Config::default()
    });
    let tried = runner.run(&turns(), |turns| {
        runtime.block_on(async {
            let mut following = Following::begin().await;
            for (step, turn) in turns.iter().enumerate() {
                following.turn(step, turn).await;
            }
            following.look().await;
        });
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn what_stops_being_readable_leaves_and_what_never_was_is_not_told() {
    let mut following = Following::begin().await;
    following.write(1, 0, Some((0, false))).await;
    following.write(2, 1, Some((1, false))).await;
    let page = following.ask("/v1/notes").await;
    assert_eq!(page.ids(), ["n0"]);
    let resume = page.json()["resume"].as_str().unwrap().to_owned();
    following.write(3, 0, Some((1, false))).await;
    following.write(4, 1, None).await;
    following.write(5, 2, Some((1, false))).await;
    following.write(6, 2, None).await;
    let page = following.ask(&resume).await.json();
    let told = page["items"].as_array().unwrap();
    assert_eq!(told.len(), 1, "{page}");
    assert_eq!(
        (&told[0]["id"], &told[0]["deleted"]),
        (&json!("n0"), &json!(true))
    );
    assert_eq!(told[0]["position"], page["position"]);
    let every = resume
        .replace("?", "?versions=all&")
        .replace("versions=all&seenBy", "seenBy");
    let every = following.ask(&format!("{every}&versions=all")).await.json();
    assert_eq!(every["items"].as_array().unwrap().len(), 1, "{every}");
}

#[tokio::test]
async fn where_what_was_readable_is_no_longer_known_the_position_is_expired() {
    let mut following = Following::begin().await;
    let resume = following.ask("/v1/notes").await.json()["resume"]
        .as_str()
        .unwrap()
        .to_owned();
    following.write(1, 0, Some((0, false))).await;
    following.write(2, 0, Some((0, true))).await;
    let notes = milepost_store::CollectionPath::parse("notes").unwrap();
    let head = following.scene.head().await;
    following.scene.memory().prune_history(&notes, head);
    following
        .ask(&resume)
        .await
        .is_problem(410, "positionExpired");
    let remembered = following.ask("/v1/notes/changes").await.json();
    assert_eq!(remembered["oldest"], remembered["oldestSnapshot"]);
}

#[tokio::test]
async fn a_rule_that_changes_while_somebody_waits_is_what_they_are_judged_by() {
    let mut following = Following::begin().await;
    following.write(1, 0, Some((0, false))).await;
    let resume = following.ask("/v1/notes").await.json()["resume"]
        .as_str()
        .unwrap()
        .to_owned();
    let waiting = format!("{resume}&wait=20");
    let waits = following.ask(&waiting);
    let changes = async {
        tokio::task::yield_now().await;
        let rule = json!({ "rules": { "read": "subject.claims.team == 'blue'" } });
        following
            .scene
            .write("/v1/-/collections/notes", &rule.to_string())
            .await;
        let key = key("notes", "n1");
        commit(
            &following.scene,
            vec![(key, Some(json!({ "team": "red" })))],
        )
        .await;
    };
    let (reply, ()) = tokio::join!(waits, changes);
    assert_eq!(reply.status, 410, "{reply:?}");
}
