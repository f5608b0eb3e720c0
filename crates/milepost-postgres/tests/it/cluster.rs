//! A PostgreSQL for tests: one for all of them, also where each runs in a process of its own, in
//! memory where the system has some to spare, gone when the last test has ended.
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

use milepost_postgres::Options;
use tokio_postgres::{Client, NoTls};

/// A server that runs for as long as this is there.
pub(crate) struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
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
        let cluster = Self {
            folder: folder(locks),
            programs,
            _used: used,
        };
        if !cluster.folder.join("started").exists() {
            cluster.initialize();
            cluster.watch(&locks.join("postgres.used"));
            fs::write(cluster.folder.join("started"), "").expect("a file");
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
        if is_root() {
            let mut id = Command::new("id");
            let id = id.args(["-u", "postgres"]).output().expect("id");
            let id = String::from_utf8_lossy(&id.stdout).trim().parse();
            chown(&self.folder, Some(id.expect("a user's number")), None).expect("root may");
        }
        let data = self.folder.join("data");
        let mut initialize = self.program("initdb");
        initialize.args(["--auth=trust", "--username=milepost", "--no-sync", "-D"]);
        run(initialize.arg(&data));
        let settings = format!(
            "-k {} -h '' -c fsync=off -c full_page_writes=off -c max_connections=400 -c shared_buffers=64MB",
            self.folder.display()
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

    /// How to open a database.
    pub(crate) fn options(&self, database: &str) -> Options {
        Options::new(&self.address(database)).expect("an address")
    }

    fn address(&self, database: &str) -> String {
        let folder = self.folder.display();
        format!("host={folder} user=milepost dbname={database}")
    }

    /// A connection past the store.
    pub(crate) async fn client(&self, database: &str) -> Client {
        let address = self.address(database);
        let connecting = tokio_postgres::connect(&address, NoTls);
        let (client, connection) = connecting.await.expect("a connection");
        tokio::spawn(connection);
        client
    }

    /// Makes an empty database, and tells its name.
    pub(crate) async fn database(&self) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{made}", std::process::id());
        let client = self.client("postgres").await;
        let sql = format!("CREATE DATABASE {name}");
        client.batch_execute(&sql).await.expect("a database");
        name
    }

    /// Copies a database as its own tools do, also while it is in use, and tells the copy's name.
    pub(crate) async fn copy(&self, database: &str) -> String {
        let copy = self.database().await;
        let script = "\"$1\" -h \"$3\" -U milepost \"$4\" | \"$2\" -h \"$3\" -U milepost -q -v ON_ERROR_STOP=1 \"$5\"";
        let mut pipe = Command::new("sh");
        pipe.args(["-c", script, "-"]);
        pipe.arg(self.programs.join("pg_dump"));
        pipe.arg(self.programs.join("psql"));
        run(pipe.arg(&self.folder).arg(database).arg(&copy));
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

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout.starts_with(b"0\n")
}
