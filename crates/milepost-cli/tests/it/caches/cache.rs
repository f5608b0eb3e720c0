//! A cache in a process of its own, with the configuration that `deploy/` holds: only addresses and folders
//! are put in, and the mistake that a test is about.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::origin::Origin;

/// How often to look whether it listens, and for how long.
const PAUSE: Duration = Duration::from_millis(20);
const STARTING_TRIES_MAX: u32 = 3_000;

/// Which cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Varnish,
}

/// A mistake that caches of others make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    None,
    /// Takes URLs that differ in their queries for one.
    IgnoresQueries,
    /// Passes on content, what describes it, and nothing else.
    DropsFields,
}

/// What a cache that drops fields drops. `Location` is left to redirects.
const DROPPED: &[&str] = &[
    "ETag",
    "Link",
    "Cache-Control",
    "Vary",
    "Last-Modified",
    "Age",
    "Retry-After",
    "Preference-Applied",
    "API-Version",
    "Server-Timing",
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
];

/// A running cache; stopped when dropped.
pub(crate) struct Cache {
    kind: Kind,
    folder: TempDir,
    address: SocketAddr,
    child: Child,
}

impl Cache {
    /// Starts one in front of a server.
    pub(crate) fn before(origin: &Origin, kind: Kind) -> Self {
        Self::mistaken(origin, kind, Mistake::None)
    }

    /// The same with a mistake.
    pub(crate) fn mistaken(origin: &Origin, kind: Kind, mistake: Mistake) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let configuration = match kind {
            Kind::Nginx => nginx(origin, address, folder.path(), mistake),
            Kind::Varnish => varnish(origin, mistake),
        };
        fs::write(folder.path().join("milepost"), configuration).unwrap();
        let child = started(kind, folder.path(), address);
        Self {
            kind,
            folder,
            address,
            child,
        }
    }

    /// What it is asked by: the service's base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it, and starts it again with nothing in it.
    pub(crate) fn restart_empty(&mut self) {
        self.stop();
        let kept = self.folder.path().join("cache");
        if kept.exists() {
            fs::remove_dir_all(kept).unwrap();
        }
        self.child = started(self.kind, self.folder.path(), self.address);
    }

    fn stop(&mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.unwrap().success());
        self.child.wait().unwrap();
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.stop();
        }
    }
}

fn started(kind: Kind, folder: &Path, address: SocketAddr) -> Child {
    let mut command = match kind {
        Kind::Nginx => nginx_command(folder),
        Kind::Varnish => varnish_command(folder, address),
    };
    let log = fs::File::create(folder.join("log")).unwrap();
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!("{kind:?} is needed: apt-get install nginx varnish, or cargo xtask check ({error})")
    });
    for _ in 0..STARTING_TRIES_MAX {
        if TcpStream::connect(address).is_ok() {
            return child;
        }
        if !matches!(child.try_wait(), Ok(None)) {
            break;
        }
        thread::sleep(PAUSE);
    }
    let said = fs::read_to_string(folder.join("log")).unwrap_or_default();
    panic!("{kind:?} did not come up: {said}")
}

fn nginx_command(folder: &Path) -> Command {
    let mut command = Command::new(program("nginx"));
    command
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(folder.join("milepost"));
    command.arg("-e").arg(folder.join("errors"));
    command
}

fn varnish_command(folder: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(program("varnishd"));
    command.args([
        "-F",
        "-j",
        "none",
        "-s",
        "malloc,64m",
        "-p",
        "http_gzip_support=off",
    ]);
    command.arg("-n").arg(folder.join("varnish"));
    command.args(["-a", &address.to_string()]);
    command.arg("-f").arg(folder.join("milepost"));
    command
}

/// Debian puts them where only the administrator's path leads.
fn program(name: &str) -> PathBuf {
    let path = Path::new("/usr/sbin").join(name);
    if path.exists() { path } else { name.into() }
}

fn nginx(origin: &Origin, address: SocketAddr, folder: &Path, mistake: Mistake) -> String {
    let mut text = deployed("nginx.conf");
    put_in(&mut text, "127.0.0.1:7070", &origin.authority());
    put_in(&mut text, "listen 80;", &format!("listen {address};"));
    let kept = folder.join("cache").display().to_string();
    put_in(&mut text, "/var/cache/nginx/milepost", &kept);
    match mistake {
        Mistake::None => {}
        Mistake::IgnoresQueries => put_in(&mut text, "$host$request_uri|", "$host$uri|"),
        Mistake::DropsFields => {
            let hidden = DROPPED
                .iter()
                .map(|name| format!("proxy_hide_header {name};"));
            let hidden: String = hidden.collect();
            put_in(
                &mut text,
                "proxy_cache milepost;",
                &format!("proxy_cache milepost;{hidden}"),
            );
        }
    }
    let folder = folder.display();
    format!(
        "daemon off; user root; pid {folder}/pid; worker_processes 1;
         events {{ worker_connections 1024; }}
         http {{ access_log off; client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/pages;
                fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
                {text} }}"
    )
}

fn varnish(origin: &Origin, mistake: Mistake) -> String {
    let mut text = deployed("varnish.vcl");
    let port = origin.authority().rsplit_once(':').unwrap().1.to_owned();
    put_in(&mut text, "\"7070\"", &format!("\"{port}\""));
    match mistake {
        Mistake::None => {}
        Mistake::IgnoresQueries => put_in(
            &mut text,
            "sub vcl_hash {",
            r#"sub vcl_hash {
                hash_data(regsub(req.url, "\?.*$", ""));
                hash_data(req.http.Accept-Encoding);
                return (lookup);"#,
        ),
        Mistake::DropsFields => {
            let unset = DROPPED
                .iter()
                .map(|name| format!("unset resp.http.{name};"));
            let unset: String = unset.collect();
            text.push_str(&format!("sub vcl_deliver {{ {unset} }}"));
        }
    }
    text
}

fn deployed(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .join(name);
    fs::read_to_string(path).unwrap()
}

fn put_in(text: &mut String, place: &str, what: &str) {
    assert!(text.contains(place), "{place} is not in the configuration");
    *text = text.replace(place, what);
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}
