//! `audit`: Milepost itself, with restarts between requests, has no finding at warn or above; and
//! the command keeps its contract with scripts.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::stage::{MILEPOST, Server, User, library};

/// Read by whom it is for, so that users are told apart.
const LETTERS: &str =
    r#"{ "rules": { "read": "resource.to == subject.id", "write": "subject != null" } }"#;

/// A server that a shell command restarts: its process id stands in a file.
struct Restarted {
    folder: TempDir,
    port: u16,
}

impl Restarted {
    /// The demo's library, served at a port of its own.
    fn library() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut demo = Command::new(MILEPOST);
        demo.arg("demo").arg(folder.path().join("data"));
        let demo = Server::spawned(demo);
        let user = User::of(&demo);
        let letters = user.file("letters.json", LETTERS);
        user.run(&["apply", letters.to_str().unwrap()]).ok();
        drop(demo);
        let this = Self { folder, port };
        fs::write(this.script(), this.text()).unwrap();
        this.token("ada");
        assert!(
            Command::new("sh")
                .arg(this.script())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap()
                .success()
        );
        this
    }

    fn script(&self) -> std::path::PathBuf {
        self.folder.path().join("restart.sh")
    }

    /// What says that it is this user who asks.
    fn token(&self, subject: &str) -> String {
        let key = self.folder.path().join("dev.jwk");
        let mint = [
            "token",
            "--subject",
            subject,
            "--key",
            key.to_str().unwrap(),
        ];
        let ran = User::at(&self.url()).run(&mint).ok();
        ran.stdout.trim().to_owned()
    }

    /// Kills what runs as `kill -9` does, and starts it again at the same port.
    fn text(&self) -> String {
        let folder = self.folder.path().display();
        let port = self.port;
        format!(
            "cd {folder}\n\
             p=$(cat pid 2>/dev/null) && kill -9 $p 2>/dev/null\n\
             while kill -0 $p 2>/dev/null && ! {{ grep -qs 'State:.Z' /proc/$p/status && test $(ls /proc/$p/task | wc -l) -le 1; }}; do :; done\n\
             {MILEPOST} serve --data data --issuer dev.jwk --grants --listen 127.0.0.1:{port} --log off </dev/null >out 2>&1 &\n\
             echo $! >pid\n"
        )
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    fn pid(&self) -> String {
        fs::read_to_string(self.folder.path().join("pid"))
            .unwrap()
            .trim()
            .to_owned()
    }
}

impl Drop for Restarted {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = Command::new("kill").args(["-9", &self.pid()]).status();
    }
}

/// Waits until it listens, by asking it.
fn await_listening(url: &str) {
    let agent = crate::stage::agent();
    while agent.get(url).call().is_err() {
        std::thread::yield_now();
    }
}

#[test]
fn milepost_itself_keeps_nothing_about_its_clients() {
    let server = Restarted::library();
    let url = server.url();
    await_listening(&url);
    let user = User::at(&url);
    let (ada, bob) = (server.token("ada"), server.token("bob"));
    for to in ["ada", "bob"] {
        let letter = format!("letters/{to}");
        user.run(&["put", &letter, &format!("to={to}"), "--token", &ada])
            .ok();
    }
    let restart = format!("sh {}", server.script().display());
    let page = format!("{url}/books?pageSize=2");
    let har =
        format!(r#"{{"log":{{"entries":[{{"request":{{"method":"GET","url":"{page}"}}}}]}}}}"#);
    let har = user.file("pages.har", har);
    let har = har.to_str().unwrap();
    let options = [
        "audit",
        &url,
        "--write",
        "--sandbox",
        "/v1/books",
        "--restart-cmd",
        &restart,
        "--har",
        har,
        "--fail-on",
        "warn",
        "--format",
        "json",
        "--operations",
        "40",
        "--bearer",
        &ada,
        "--bearer2",
        &bob,
    ];
    let ran = user.run(&options);
    assert_eq!(
        ran.code,
        Some(0),
        "{}\n{:#?}",
        ran.stderr,
        notes(&ran.stdout)
    );
    let report = ran.json();
    assert_eq!(report["verdict"], "no-evidence");
    let matrix = report["coverage"]["matrix"].as_array().unwrap();
    for check in [
        "SC-1", "OR-1", "UR-1", "HS-1", "CN-1", "CN-2", "IP-1", "UA-1", "OR-2", "OR-3", "MT-1",
        "RP-3", "CC-1", "CC-2", "CC-3", "SB-1", "SB-2", "PG-1", "PG-2", "PG-3", "OA-1", "OA-6",
        "CA-1", "CA-2", "CA-3", "CA-4", "CA-5", "LK-1", "IK-1", "RP-2",
    ] {
        assert!(
            matrix.iter().any(|cell| cell["check"] == check),
            "{check} looked at nothing"
        );
    }
}

/// What a report says at warn or above, and what it did not show.
fn notes(report: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(report).unwrap_or_default();
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let loud = findings
        .iter()
        .filter(|finding| finding["level"] == "warn" || finding["level"] == "bad");
    let mut notes: Vec<String> = loud
        .map(|finding| {
            format!(
                "{} {} {}",
                finding["check"], finding["operation"], finding["summary"]
            )
        })
        .collect();
    notes.extend(
        report["notShown"]
            .as_array()
            .into_iter()
            .flatten()
            .map(Value::to_string),
    );
    notes
}

#[test]
fn an_audit_writes_every_form_that_is_asked_for_and_what_is_accepted_is_shown() {
    let (_data, server, user) = library();
    let output = user.path("report");
    let waivers = user.file(
        "waivers.json",
        r#"[{"check":"CC-1","reason":"a test","expires":"2999-01-01"}]"#,
    );
    let mut command = vec![
        "audit",
        server.url.as_str(),
        "--output",
        output.to_str().unwrap(),
    ];
    command.extend([
        "--waivers",
        waivers.to_str().unwrap(),
        "--check",
        "CC-1",
        "--check",
        "SC-1",
        "--operations",
        "10",
    ]);
    for form in ["terminal", "html", "json", "har", "sarif", "junit"] {
        command.extend(["--format", form]);
    }
    user.run(&command).ok();
    for ending in ["txt", "html", "json", "har", "sarif", "xml"] {
        let text = fs::read_to_string(output.with_extension(ending)).unwrap();
        assert!(!text.is_empty(), "{ending}");
    }
    let report: Value =
        serde_json::from_str(&fs::read_to_string(output.with_extension("json")).unwrap()).unwrap();
    assert_eq!(report["verdict"], "no-evidence");
    assert!(report["notShown"].is_array() && report["findings"].is_array());
}

#[test]
fn exit_codes_tell_usage_and_nobody_there() {
    let user = User::at("http://127.0.0.1:1");
    user.run(&["audit", "http://192.0.2.1/"])
        .code(2)
        .says("--i-operate-this-host");
    user.run(&["audit", "no url"])
        .code(2)
        .says("is no http or https URL");
    user.run(&["audit", "http://127.0.0.1:1/"])
        .code(3)
        .says("can't connect");
    user.run(&["audit", "http://127.0.0.1:1/", "--sandbox", "/x"])
        .code(2)
        .says("--write");
    user.run(&["audit", "replay", "nowhere.json"])
        .code(2)
        .says("can't read nowhere.json");
    user.run(&["audit", "explain", "XX-9"])
        .code(2)
        .says("there is no check XX-9");
    let page = user.run(&["audit", "explain", "sc-3"]).ok();
    assert!(page.stdout.starts_with("# SC-3: rewind"));
}

/// What is done with a connection.
type Act = fn(TcpStream);

/// A service that does this with every connection, after it has heard a request.
fn hostile(act: Act) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                act(stream);
            });
        }
    });
    url
}

#[test]
fn whoever_hangs_closes_talks_nonsense_never_ends_or_goes_in_circles_is_left_in_time_with_code_3() {
    let hangs = |mut stream: TcpStream| drop(stream.read(&mut [0]));
    let nonsense = |mut stream: TcpStream| drop(stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n"));
    let endless = |mut stream: TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n");
        while stream.write_all(&[b'a'; 1024]).is_ok() {}
    };
    let circles = |mut stream: TcpStream| {
        let head =
            b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        drop(stream.write_all(head));
    };
    let all: [(Act, &str); 5] = [
        (hangs, "no whole answer within 1 s"),
        (
            drop,
            "the connection was closed before the answer was whole",
        ),
        (nonsense, "it begins with"),
        (endless, "0 of 1 operations could be compared"),
        (circles, "0 of 1 operations could be compared"),
    ];
    for (act, says) in all {
        let url = hostile(act);
        let ran = User::at(&url).run(&["audit", &url, "--timeout", "1", "--time", "20"]);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, Some(3), "{says}: {said}");
        assert!(said.contains(says), "{says}: {said}");
    }
}

#[test]
fn what_an_audit_finds_replays_from_its_report() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
        }
    });
    let user = User::at(&url);
    let output = user.path("report.json");
    let path = output.to_str().unwrap();
    user.run(&[
        "audit",
        &url,
        "--fail-on",
        "warn",
        "--format",
        "json",
        "--output",
        path,
    ])
    .code(1);
    let again = user.run(&["audit", "replay", path]).code(1);
    assert!(
        again.stdout.contains("again") && again.stdout.contains("CC-1"),
        "{again:?}"
    );
}
