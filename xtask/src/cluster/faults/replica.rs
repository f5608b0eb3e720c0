//! `milepost sync --follow` through the balancer, all the while; in the end its files are what the store has.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Child,
    thread,
    time::Duration,
};

use serde_json::Value;

use super::site::Site;
use crate::{
    clock::Stopwatch,
    cluster::{
        load::{Answer, Ask, ask},
        network::Host,
        place::Start,
        processes::{self, Signal},
    },
    say,
};

/// The collection that is followed.
const COLLECTION: &str = "parcels";
/// Who follows is told of the last change within the time that it waits, and some.
const CATCHING_UP_MAX: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(200);

/// A follower in a process of its own.
#[derive(Debug)]
pub(super) struct Replica {
    child: Child,
    files: PathBuf,
}

impl Replica {
    /// Begins to follow.
    ///
    /// # Errors
    /// When it can't be started.
    pub(super) fn follow(site: &Site, program: &Path) -> Result<Self, String> {
        let url = format!("http://{}/v1/{COLLECTION}", site.balancer.address);
        let words = [
            "sync",
            &url,
            "folder:files",
            "--follow",
            "--quiet",
            "--wait",
            "3",
        ];
        let host = Host::outside();
        let child = site.assembly.place.start(&Start {
            folder: "replica",
            host: &host,
            as_caller: true,
            program: &program.display().to_string(),
            words: words.map(str::to_owned).to_vec(),
        })?;
        Ok(Self {
            child,
            files: site.assembly.place.path("replica/files"),
        })
    }

    /// Waits until it has caught up, stops it, and compares.
    ///
    /// # Errors
    /// When it has ended, or what it holds is not what the store has.
    pub(super) fn ends_equal(mut self, site: &Site) -> Result<(), String> {
        let door = site.addresses()?.first().copied().ok_or("no nodes")?;
        let wanted = listed(door)?;
        let watch = Stopwatch::start();
        let mut held = self.held()?;
        while held != wanted && watch.elapsed() < CATCHING_UP_MAX {
            thread::sleep(PAUSE);
            held = self.held()?;
        }
        let ended = self.child.try_wait();
        processes::send(Signal::Terminate, &[self.child.id()]);
        let _status = self.child.wait();
        if !matches!(ended, Ok(None)) {
            let log = fs::read_to_string(self.files.with_file_name("log")).unwrap_or_default();
            return Err(format!("milepost sync --follow has ended: {log}"));
        }
        if held != wanted {
            let differ = wanted
                .iter()
                .find(|(id, body)| held.get(*id) != Some(*body));
            return Err(format!(
                "milepost sync --follow holds {} resources where there are {}; for example {differ:?}",
                held.len(),
                wanted.len()
            ));
        }
        say::data(&format!(
            "milepost sync --follow ended exactly equal: {} resources",
            held.len()
        ));
        Ok(())
    }

    /// What its files say, by id.
    fn held(&self) -> Result<BTreeMap<String, Value>, String> {
        let mut held = BTreeMap::new();
        let Ok(files) = fs::read_dir(&self.files) else {
            return Ok(held);
        };
        for file in files.filter_map(Result::ok) {
            let name = file.file_name().to_string_lossy().into_owned();
            let Some(id) = name.strip_suffix(".json").filter(|id| !id.starts_with('.')) else {
                continue;
            };
            // A file may go between being listed and being read.
            let Ok(text) = fs::read(file.path()) else {
                continue;
            };
            held.insert(
                id.to_owned(),
                serde_json::from_slice(&text).unwrap_or_default(),
            );
        }
        Ok(held)
    }
}

/// What the store has, by id.
fn listed(door: SocketAddr) -> Result<BTreeMap<String, Value>, String> {
    let asked = Ask::fetch(&format!("/v1/{COLLECTION}?pageSize=1000"));
    let answer = ask(door, &asked);
    let Answer::Told(response) = &answer else {
        return Err(format!("{}: {answer:?}", asked.target));
    };
    let page: Value = serde_json::from_slice(&response.body).map_err(|error| error.to_string())?;
    let items = page
        .get("items")
        .and_then(Value::as_array)
        .ok_or("a page without items")?;
    let pair = |item: &Value| {
        let id = item.get("id")?.as_str()?.to_owned();
        Some((id, item.get("value")?.clone()))
    };
    Ok(items.iter().filter_map(pair).collect())
}
