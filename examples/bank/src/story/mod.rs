//! The story: a week at the bank, told while it happens.
//!
//! Servers are processes of their own, killed with SIGKILL while transfers are in flight. Customers
//! repeat whatever they got no answer to. In the end it is proven that every acknowledged transfer is in
//! the books exactly once, and that no money was made or lost. Whatever turns out to be wrong ends the
//! story with an error, so it is a test as well.

mod customers;
mod door;
mod server;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use self::{
    customers::{CUSTOMERS, Diary, Progress},
    door::FrontDoor,
    server::Server,
};
use crate::{
    accountant,
    books::{Books, BooksError, Fetched},
    ledger::{Discrepancy, Ledger},
    order::Order,
    reading::{Listing, ReadingError},
    say,
};

/// How many orders each customer gives on Monday, and in the rest of the week.
const MONDAY_ORDERS: usize = 20;
const WEEK_ORDERS: usize = 60;
/// How often the server is killed during the week.
const KILLS: usize = 3;
/// Whose transactions are looked at with a link to come back with.
const ACCOUNT: &str = "17";

/// Why the story has no good end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoryError {
    /// A file or a process.
    #[error("can't use {what}")]
    System {
        /// What.
        what: String,
        /// The reason.
        source: io::Error,
    },
    /// The books.
    #[error(transparent)]
    Books(#[from] BooksError),
    /// A listing.
    #[error(transparent)]
    Reading(#[from] ReadingError),
    /// What was promised is not so.
    #[error("a promise is broken")]
    Broken(#[from] Discrepancy),
    /// What was promised is not so, in words.
    #[error("a promise is broken: {what}")]
    Promise {
        /// What.
        what: String,
    },
    /// A customer never got an answer, or one that makes no sense.
    #[error("order {order} was answered {answer}")]
    Answer {
        /// Which order.
        order: String,
        /// What came back last.
        answer: String,
    },
}

impl StoryError {
    fn system(what: impl Into<String>, source: io::Error) -> Self {
        Self::System {
            what: what.into(),
            source,
        }
    }
}

/// Tells the whole story, in a folder that is removed afterwards.
///
/// # Errors
/// [`StoryError`] says which promise was not kept.
pub fn tell() -> Result<(), StoryError> {
    let folder = tempfile::tempdir().map_err(|error| StoryError::system("a folder", error))?;
    Week::begin(folder.path())?.tell()
}

/// What is there while the story is told.
struct Week {
    folder: PathBuf,
    server: Server,
    door: FrontDoor,
    diary: Diary,
}

impl Week {
    fn begin(folder: &Path) -> Result<Self, StoryError> {
        say::chapter("A bank opens");
        let server = Server::start(&folder.join("bank"))?;
        say::line(format!("  process {} serves {}", server.id(), server.url()));
        say::line("  twelve customers paid in 1000.00 each; the tills went as far below zero");
        Ok(Self {
            folder: folder.to_owned(),
            door: FrontDoor::to(server.url()),
            server,
            diary: Diary::default(),
        })
    }

    fn tell(mut self) -> Result<(), StoryError> {
        self.monday()?;
        let link = self.link()?;
        let backup = self.backup()?;
        self.rest_of_the_week()?;
        let books = self.proof()?;
        self.come_back(&link, &books)?;
        self.restored(&backup, &books)?;
        self.everything_lost(&books)?;
        say::chapter("The end: no money was made or lost, and nothing acknowledged was forgotten.");
        Ok(())
    }

    fn monday(&mut self) -> Result<(), StoryError> {
        say::chapter("Monday");
        let diary = customers::live("monday", MONDAY_ORDERS, &self.door, |_| Ok(()))?;
        say::line(format!("  {CUSTOMERS} customers at once: {diary}"));
        self.diary.add(diary);
        Ok(())
    }

    /// The current list, and the link to come back with.
    fn link(&self) -> Result<Link, StoryError> {
        say::chapter("The link to come back with");
        let path = format!("/accounts/{ACCOUNT}/transactions");
        let listing = Listing::read(&format!("{}{path}", self.server.url()))?;
        let entries = listing.items.len();
        say::line(format!(
            "  GET /v1{path} lists {entries} transactions and ends with"
        ));
        say::line(format!("  \"resume\": \"{}\"", listing.resume));
        Ok(Link {
            entries,
            resume: listing.resume,
        })
    }

    /// Books are kept, and a copy of their file is put away.
    fn backup(&self) -> Result<Backup, StoryError> {
        say::chapter("The accountant");
        let (_, ledger) = self.catch_up("books.sqlite")?;
        let file = self.folder.join("last-week.sqlite");
        fs::copy(self.folder.join("books.sqlite"), &file)
            .map_err(|error| StoryError::system("last week's backup", error))?;
        say::line("  a copy of the books' file is put away as last week's backup");
        Ok(Backup { file, ledger })
    }

    fn rest_of_the_week(&mut self) -> Result<(), StoryError> {
        say::chapter("The rest of the week, with accidents");
        let Self {
            folder,
            server,
            door,
            ..
        } = self;
        let orders = CUSTOMERS * WEEK_ORDERS;
        let diary = customers::live("week", WEEK_ORDERS, door, |progress| {
            for accident in 1..=KILLS {
                progress.wait_for(orders * accident / (KILLS + 1));
                replace(server, &folder.join("bank"), door, progress)?;
                catch_up(&folder.join("books.sqlite"), &server.url())?;
            }
            Ok(())
        })?;
        say::line(format!("  {CUSTOMERS} customers at once: {diary}"));
        self.diary.add(diary);
        Ok(())
    }

    /// Every acknowledged transfer is in the books once, and money is conserved.
    fn proof(&self) -> Result<Ledger, StoryError> {
        say::chapter("The proof");
        let (_, books) = self.catch_up("books.sqlite")?;
        let is_theirs = |id: &str| !id.starts_with("opening-");
        books.check_acknowledged(&self.diary.acknowledged, is_theirs)?;
        let acknowledged = self.diary.acknowledged.len();
        say::line(format!(
            "  {acknowledged} transfers were acknowledged: each is in the books exactly once, and no other is"
        ));
        promised(books.sum() == 0, || {
            format!("all entries add up to {}", books.sum())
        })?;
        say::line(format!(
            "  all {} entries together add up to 0.00: no money was made or lost",
            books.entries()
        ));
        Ok(books)
    }

    /// The link of Monday, given by a process that is no more.
    fn come_back(&self, link: &Link, books: &Ledger) -> Result<(), StoryError> {
        say::chapter("Coming back with Monday's link");
        let origin = self.server.origin();
        let news = Listing::read(&format!("{origin}{}", link.resume))?;
        let (known, told) = (link.entries, news.items.len());
        say::line(format!(
            "  the process that gave it is gone; another one tells the {told} transactions since"
        ));
        let all = books.entries_of(ACCOUNT);
        promised(known + told == all, || {
            format!("{known} transactions and {told} since are not the {all} there are")
        })
    }

    fn restored(&self, backup: &Backup, books: &Ledger) -> Result<(), StoryError> {
        say::chapter("The accountant's disk fails: last week's backup");
        let missing = books.entries() - backup.ledger.entries();
        say::line(format!(
            "  the backup has {} entries, {missing} are missing",
            backup.ledger.entries()
        ));
        let (fetched, restored) = catch_up(&backup.file, &self.server.url())?;
        promised(fetched.entries == missing && !fetched.is_restarted, || {
            format!(
                "{} entries were fetched, {missing} were missing",
                fetched.entries
            )
        })?;
        promised(restored == *books, || {
            "the restored books differ".to_owned()
        })?;
        say::line("  exactly what was missing; the books are the same as before");
        Ok(())
    }

    fn everything_lost(&self, books: &Ledger) -> Result<(), StoryError> {
        say::chapter("The accountant loses everything");
        let (fetched, anew) = self.catch_up("new-books.sqlite")?;
        promised(fetched.entries == books.entries(), || {
            format!("{} entries were fetched", fetched.entries)
        })?;
        promised(anew == *books, || "the new books differ".to_owned())?;
        say::line("  from the collection's URL alone, the books are the same again");
        Ok(())
    }

    fn catch_up(&self, file: &str) -> Result<(Fetched, Ledger), StoryError> {
        catch_up(&self.folder.join(file), &self.server.url())
    }
}

/// Where somebody was up to.
struct Link {
    entries: usize,
    resume: String,
}

/// The books as they were.
struct Backup {
    file: PathBuf,
    ledger: Ledger,
}

/// Brings the books in a file up to date, proves them, and says so.
fn catch_up(file: &Path, bank: &str) -> Result<(Fetched, Ledger), StoryError> {
    let (fetched, ledger) = Books::open(file, bank)?.catch_up()?;
    accountant::report(&fetched, &ledger);
    promised(fetched.is_verified, || {
        "the books were not verified".to_owned()
    })?;
    Ok((fetched, ledger))
}

/// Kills the server while customers are waiting for its answers, and starts another.
fn replace(
    server: &mut Server,
    data: &Path,
    door: &FrontDoor,
    progress: &Progress,
) -> Result<(), StoryError> {
    let answered = progress.answered();
    server.kill()?;
    say::line(format!(
        "  after {answered} answers: process {} is killed (SIGKILL); customers repeat what was not answered",
        server.id()
    ));
    *server = Server::start(data)?;
    door.lead_to(server.url());
    say::line(format!(
        "  process {} takes over at {}",
        server.id(),
        server.url()
    ));
    Ok(())
}

fn promised(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), StoryError> {
    match holds {
        true => Ok(()),
        false => Err(StoryError::Promise { what: otherwise() }),
    }
}
