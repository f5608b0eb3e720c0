//! Answers the first step of a flow as often as it is told, of one walk through it or of as many, and prints what
//! the server's memory was before and after.
//!
//! `flow_steps --server ADDRESS --pid N --steps N --walks one|many --flow PATH --input FILE`
//!
//! Both send the same requests: each time the flow is begun, and its first step sent. Of one walk the state of the
//! first time is sent again and again; of many each its own, and all states are kept, so that as many are in progress.

use std::{fs, net::SocketAddr, path::PathBuf};

use milepost_bench::{
    arguments::Arguments,
    crowd::{Asking, Client, memory_kib},
};
use serde_json::{Value, json};
use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Steps before anything is measured: what any first requests cost is nobody's in particular.
const FIRST: u32 = 4_000;

#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let (pid, steps): (u32, u32) = (arguments.value("pid")?, arguments.value("steps")?);
    let input: PathBuf = arguments.value("input")?;
    let input = fs::read_to_string(&input).map_err(|e| format!("{}: {e}", input.display()))?;
    let mut walks = Walks {
        flow: arguments.value("flow")?,
        input: serde_json::from_str(&input).map_err(|error| error.to_string())?,
        is_one: arguments.value::<String>("walks")? == "one",
        client: runtime.block_on(Client::connect(arguments.value::<SocketAddr>("server")?, 0))?,
        states: Vec::new(),
    };
    runtime.block_on(walks.take(FIRST))?;
    let before = memory_kib(pid, "VmRSS")?;
    runtime.block_on(walks.take(steps))?;
    let after = memory_kib(pid, "VmRSS")?;
    let in_progress = walks.states.len();
    println!("{{\"before\":{before},\"after\":{after},\"inProgress\":{in_progress}}}");
    Ok(())
}

struct Walks {
    flow: String,
    input: Value,
    is_one: bool,
    client: Client,
    /// Of each walk that was begun, where it is.
    states: Vec<String>,
}

impl Walks {
    async fn take(&mut self, steps: u32) -> Result<(), String> {
        for _step in 0..steps {
            let begun = self.begin().await?;
            let state = match self.states.first() {
                Some(first) if self.is_one => first.clone(),
                _ => begun,
            };
            let next = self.step(&state).await?;
            match self.is_one {
                true if !self.states.is_empty() => {}
                true => self.states.push(state),
                false => self.states.push(next),
            }
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<String, String> {
        let (target, accept, agent) = (self.flow.as_str(), "application/json", "bench/1");
        let asking = Asking {
            target,
            accept,
            agent,
        };
        self.client.ask(asking).await?;
        self.state().await
    }

    async fn step(&mut self, state: &str) -> Result<String, String> {
        let body = json!({ "state": state, "input": self.input }).to_string();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.flow,
            body.len()
        );
        self.client.send((head + &body).as_bytes()).await?;
        self.state().await
    }

    /// The state that an answer carries.
    async fn state(&mut self) -> Result<String, String> {
        let received = self.client.receive().await?;
        let said = String::from_utf8_lossy(received.content);
        if received.status != 200 {
            return Err(format!("{}: {said}", received.status));
        }
        let document: Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
        let state = document.get("state").and_then(Value::as_str);
        state
            .map(str::to_owned)
            .ok_or_else(|| format!("no state: {said}"))
    }
}
