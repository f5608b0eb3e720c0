//! A PostgreSQL for tests: one for all of them, also where each runs in a process of its own, in
//! memory where the system has some to spare, gone when the last test has ended. Nothing here is about
//! Milepost: the command's tests use it too.
//!
//! It lets everybody in by its socket, and over TCP on loopback whoever has the password [`PASSWORD`],
//! with or without TLS.
//!
//! Who tests holds a shared lock on a file. Whoever finds no server running starts it, together with a
//! watcher that waits for that lock to be free and then stops the server and removes its files.

use std::{
    fs::{self, File, Permissions},
    io::Write as _,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// The password of user `milepost`.
pub(crate) const PASSWORD: &str = "a road remembers";

/// A server that runs for as long as this is there.
pub(crate) struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    _used: File,
}

/// The server of this process's tests; `None` where PostgreSQL isn't installed.
///
/// # Panics
/// Where it isn't, in continuous integration.
pub(crate) fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    CLUSTER
        .get_or_init(|| match programs() {
            Some(programs) => Some(Cluster::start(programs)),
            None if std::env::var_os("CI").is_some() => {
                panic!("PostgreSQL is not installed: apt-get install postgresql")
            }
            None => {
                skipped();
                None
            }
        })
        .as_ref()
}

fn skipped() {
    let why = "skipped: PostgreSQL is not installed (apt-get install postgresql)\n";
    // Where nobody can be told there is nobody to be told.
    let _ = std::io::stderr().write_all(why.as_bytes());
}

fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders.filter(|bin| bin.join("initdb").exists()).max()
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("a program");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

impl Cluster {
    fn start(programs: PathBuf) -> Self {
        let locks = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let used = File::create(locks.join("postgres.used")).expect("a file");
        // Waits while a watcher stops the server of before.
        used.lock_shared().expect("a lock");
        let starting = File::create(locks.join("postgres.starting")).expect("a file");
        starting.lock().expect("a lock");
        let mut cluster = Self {
            folder: folder(locks),
            programs,
            port: 0,
            _used: used,
        };
        let started = cluster.folder.join("started");
        match fs::read_to_string(&started) {
            Ok(port) => cluster.port = port.parse().expect("a port"),
            Err(_absent) => {
                cluster.port = free_port();
                cluster.initialize();
                cluster.watch(&locks.join("postgres.used"));
                fs::write(started, cluster.port.to_string()).expect("a file");
            }
        }
        cluster
    }

    /// PostgreSQL refuses to run as root: then it runs as the user that its package made.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder);
        command
    }

    fn initialize(&self) {
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir(&self.folder).expect("a folder");
        fs::set_permissions(&self.folder, Permissions::from_mode(0o755)).expect("permissions");
        self.certify();
        if is_root() {
            let mut id = Command::new("id");
            let id = id.args(["-u", "postgres"]).output().expect("id");
            let id = String::from_utf8_lossy(&id.stdout)
                .trim()
                .parse()
                .expect("a user's number");
            for path in ["", "key.pem"] {
                chown(self.folder.join(path), Some(id), None).expect("root may");
            }
        }
        let data = self.folder.join("data");
        let mut initialize = self.program("initdb");
        initialize.args(["--auth-local=trust", "--auth-host=scram-sha-256"]);
        initialize.args(["--username=milepost", "--no-sync", "-D"]);
        run(initialize.arg(&data));
        let settings = format!(
            "-k {folder} -h 127.0.0.1 -p {port} -c fsync=off -c full_page_writes=off \
             -c max_connections=400 -c shared_buffers=64MB -c ssl=on \
             -c ssl_cert_file={folder}/certificate.pem -c ssl_key_file={folder}/key.pem",
            folder = self.folder.display(),
            port = self.port,
        );
        let mut start = self.program("pg_ctl");
        start.args(["start", "-w", "-s", "-l", "log", "-D"]);
        start.arg(&data).arg("-o").arg(settings);
        // The server keeps what it inherits.
        let started = start
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let log = || fs::read_to_string(self.folder.join("log"));
        assert!(started.expect("pg_ctl").success(), "{:?}", log());
        self.sql(
            "postgres",
            &format!("ALTER ROLE milepost PASSWORD '{PASSWORD}'"),
        );
    }

    /// Makes the server's certificate, which vouches for itself.
    fn certify(&self) {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        fs::write(self.certificate(), made.cert.pem()).expect("a file");
        let key = self.folder.join("key.pem");
        fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
        fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("permissions");
    }

    /// The file of the server's certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    fn watch(&self, used: &Path) {
        let mut stop = self.program("pg_ctl");
        stop.args(["stop", "-m", "immediate", "-s", "-D"]);
        stop.arg(self.folder.join("data"));
        let mut watcher = Command::new("setsid");
        let watching = watcher
            .args(["--fork", "flock", "-x"])
            .arg(used)
            .args([
                "sh",
                "-c",
                "folder=$1; shift; \"$@\"; rm -rf \"$folder\"",
                "-",
            ])
            .arg(&self.folder)
            .arg(stop.get_program())
            .args(stop.get_args())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(watching.expect("setsid").success());
    }

    /// Where a database is, by the server's socket: nobody is asked for a password there.
    pub(crate) fn address(&self, database: &str) -> String {
        let (folder, port) = (self.folder.display(), self.port);
        format!("host={folder} port={port} user=milepost dbname={database}")
    }

    /// Where it is over TCP, for whoever has the password.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://milepost@127.0.0.1:{}/{database}", self.port)
    }

    /// The server's port, on loopback.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What a statement answers, as text, past the store.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-U", "milepost", "-qAt", "-v", "ON_ERROR_STOP=1", "-h"]);
        psql.arg(&self.folder).arg("-p").arg(self.port.to_string());
        let said = psql.args(["-c", sql, database]).output().expect("psql");
        let error = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{sql}: {error}");
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    }

    /// Makes an empty database, and tells its name.
    pub(crate) fn new_database(&self) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{made}", std::process::id());
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Copies a database as its own tools do, also while it is in use, and tells the copy's name.
    pub(crate) fn copy(&self, database: &str) -> String {
        let copy = self.new_database();
        let script = "\"$1\" -h \"$3\" -p \"$6\" -U milepost \"$4\" | \"$2\" -h \"$3\" -p \"$6\" -U milepost -q -v ON_ERROR_STOP=1 \"$5\"";
        let mut pipe = Command::new("sh");
        pipe.args(["-c", script, "-"]);
        pipe.arg(self.programs.join("pg_dump"));
        pipe.arg(self.programs.join("psql"));
        pipe.arg(&self.folder).arg(database).arg(&copy);
        run(pipe.arg(self.port.to_string()));
        copy
    }
}

/// Where the server's files lie: a folder of its own for every folder of builds.
fn folder(locks: &Path) -> PathBuf {
    let in_memory = Path::new("/dev/shm");
    let base = if in_memory.is_dir() {
        in_memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let number = locks
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0_u32, |number, byte| {
            number.wrapping_mul(31).wrapping_add(u32::from(*byte))
        });
    base.join(format!("milepost-postgres-{number:08x}"))
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    socket.local_addr().expect("an address").port()
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout.starts_with(b"0\n")
}
