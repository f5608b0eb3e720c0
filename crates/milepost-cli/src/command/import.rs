//! `milepost import`: makes resources of the records of a file, resumably.

use clap::Args;
use milepost_semantics::JsonPointer;
use uuid::Uuid;

use crate::{
    Ended,
    client::{Client, Connection},
    exit::{Exit, Failure},
    import::{
        CHUNK_OPERATIONS_MAX, Chunk, Delivery, Fault, Format, Identity, Ids, IfExists, Input,
        OnError, Operation, Place, Progress, Reading, Record, Records, Report,
    },
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost import people.csv --collection people --id-field number
  milepost import people.ndjson.gz --collection people
  pg_dump-to-json | milepost import - --collection people --id-pointer /key/id
  milepost import books.ndjson                   what `milepost export` wrote
  milepost import new.json --collection books --if-exists replace --on-error skip

The input is written in chunks, each all or nothing. If the import is killed, run the same
command again: the server has recorded what is in, and nothing is written twice.

CSV: the first row names the members. 12.5 and true become number and boolean, 007 stays text;
a heading may say it: zip:text, price:number, lent:boolean, tags:json.
";

/// Make resources of the records in a file
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Import {
    /// NDJSON, a JSON array, or CSV, also gzipped; `-` for stdin
    #[arg(value_name = "FILE")]
    file: String,

    /// Where to: `books`, `books/solaris/reviews`, or `books.reviews` with --parent-field
    #[arg(long, short = 'c', value_name = "NAME")]
    collection: Option<String>,

    /// The format, where the file's name or its first character doesn't say it
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    /// The member that is the id [default: id]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["id_pointer", "generate_ids"])]
    id_field: Option<String>,

    /// The place of the id, as a JSON pointer
    #[arg(long, value_name = "POINTER", conflicts_with = "generate_ids")]
    id_pointer: Option<String>,

    /// Make ids up from the records themselves: the same input gives the same ids
    #[arg(long)]
    generate_ids: bool,

    /// For `books.reviews`: the member that names the parent; once for each level
    #[arg(long, value_name = "NAME")]
    parent_field: Vec<String>,

    /// Take records as they are, even if they look like lines of an export
    #[arg(long)]
    values: bool,

    /// How many records to write together
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    chunk: usize,

    /// What to do when a resource is there already
    #[arg(long, value_name = "WHAT", default_value = "fail")]
    if_exists: IfExists,

    /// What to do with a record that is not acceptable
    #[arg(long, value_name = "WHAT", default_value = "stop")]
    on_error: OnError,

    /// CSV: keep every cell as text
    #[arg(long)]
    strings: bool,

    /// CSV: what stands between cells
    #[arg(long, value_name = "CHARACTER", default_value_t = ',')]
    delimiter: char,

    /// Read and check everything, write nothing
    #[arg(long)]
    dry_run: bool,

    /// Import anew, even what an earlier run of the same import has written
    #[arg(long)]
    again: bool,

    /// No progress bar
    #[arg(long)]
    quiet: bool,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    connection: Connection,
}

/// An import under way.
struct Run<'a> {
    place: Place,
    chunk: Chunk,
    delivery: Option<Delivery<'a>>,
    on_error: OnError,
    report: Report,
    records: u64,
    progress: Progress,
}

impl Import {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let client = self.connection.client()?;
        let input = Input::parse(&self.file);
        let progress = Progress::new(terminal, self.quiet);
        let records = input.records(self.reading()?, &progress)?;
        let mut run = self.begin(&client, progress)?;
        let ended = run.all(terminal, records);
        run.progress.finish();
        if let Err(failure) = ended {
            return Err(stopped(failure, &run.report, input.name()));
        }
        self.tell(terminal, &run)
    }

    fn begin<'a>(&self, client: &'a Client, progress: Progress) -> Result<Run<'a>, Failure> {
        if !(1..=CHUNK_OPERATIONS_MAX).contains(&self.chunk) {
            let range = format!("--chunk is from 1 to {CHUNK_OPERATIONS_MAX}");
            return Err(Failure::usage(range));
        }
        let salt = if self.again {
            Uuid::new_v4().as_bytes().to_vec()
        } else {
            Vec::new()
        };
        let delivery = Delivery {
            client,
            if_exists: self.if_exists,
            on_error: self.on_error,
            identity: Identity::new(&salt),
            has_answered: false,
        };
        Ok(Run {
            place: self.place()?,
            chunk: Chunk::new(self.chunk),
            delivery: (!self.dry_run).then_some(delivery),
            on_error: self.on_error,
            report: Report::default(),
            records: 0,
            progress,
        })
    }

    fn reading(&self) -> Result<Reading, Failure> {
        let delimiter = match self.delimiter {
            't' => Ok(b'\t'),
            other => u8::try_from(other),
        };
        let delimiter =
            delimiter.map_err(|_wide| Failure::usage("--delimiter is an ASCII character"))?;
        Ok(Reading {
            format: self.format,
            delimiter,
            strings: self.strings,
        })
    }

    fn place(&self) -> Result<Place, Failure> {
        let pointer = |text: &str| {
            let malformed = |error| Failure::usage(format!("{text:?} is no place: {error}"));
            JsonPointer::parse(text).map_err(malformed)
        };
        let ids = match (&self.id_pointer, &self.id_field) {
            _ if self.generate_ids => Ids::Generated,
            (Some(text), _) => Ids::Pointer(pointer(text)?),
            (None, field) => {
                let name = field
                    .as_deref()
                    .unwrap_or("id")
                    .replace('~', "~0")
                    .replace('/', "~1");
                Ids::Pointer(pointer(&format!("/{name}"))?)
            }
        };
        Ok(Place {
            collection: self.collection.clone(),
            ids,
            parents: self.parent_field.clone(),
            enveloped: self.values.then_some(false),
        })
    }

    fn tell(&self, terminal: Terminal, run: &Run<'_>) -> Ended {
        let report = &run.report;
        if self.json {
            terminal.line(report.to_json(run.progress.seconds()))?;
        }
        for line in report.refusals() {
            terminal.warn(line);
        }
        if self.dry_run {
            let well = run.records - report.refused;
            terminal.talk(format!(
                "{well} records are well-formed, {} are not; nothing was written",
                report.refused
            ));
        } else {
            let rate = run.progress.rate(report.records());
            terminal.talk(format!("{} ({rate} records/s)", report.summary()));
        }
        if report.recorded > 0 {
            terminal.hint("what an earlier run wrote is not written again; --again would do that");
        }
        Ok(if report.refused > 0 {
            Exit::Partial
        } else {
            Exit::Ok
        })
    }
}

impl Run<'_> {
    fn all(&mut self, terminal: Terminal, mut records: Box<dyn Records>) -> Result<(), Failure> {
        while let Some(next) = records.advance() {
            self.records += 1;
            if let Some(record) = self.accepted(next)? {
                self.one(terminal, record)?;
            }
        }
        self.flush()
    }

    fn one(&mut self, terminal: Terminal, record: Record) -> Result<(), Failure> {
        if self.place.enveloped.is_none() {
            if self.place.look_at(&record) {
                terminal.talk("these are lines of an export: resources go back to where they were");
            }
            self.place.check()?;
        }
        let line = record.line;
        match self.place.operation(self.records, record) {
            Ok(operation) => self.add(operation),
            Err(detail) => self.refuse(line, detail),
        }
    }

    fn add(&mut self, operation: Operation) -> Result<(), Failure> {
        if self.chunk.has_no_room_for(&operation) {
            self.flush()?;
        }
        self.chunk.push(operation);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let operations = self.chunk.take();
        match &mut self.delivery {
            Some(delivery) if !operations.is_empty() => {
                delivery.deliver(operations, &mut self.report)?;
            }
            _ => {}
        }
        self.progress.tell(self.report.records());
        Ok(())
    }

    fn accepted(&mut self, next: Result<Record, Fault>) -> Result<Option<Record>, Failure> {
        match next {
            Ok(record) => Ok(Some(record)),
            Err(Fault::Malformed { line, detail }) => self.refuse(line, detail).map(|()| None),
            Err(Fault::Broken { line, detail }) => {
                Err(Failure::invalid(format!("line {line}: {detail}"))
                    .detail("nothing after it can be read"))
            }
            Err(Fault::Unreadable(error)) => {
                Err(Failure::failed(format!("can't read the input: {error}")))
            }
        }
    }

    fn refuse(&mut self, line: u64, detail: String) -> Result<(), Failure> {
        if self.on_error == OnError::Stop {
            return Err(Failure::invalid(format!("line {line}: {detail}"))
                .hint("--on-error skip leaves such records out and reports them"));
        }
        self.report.refuse(line, detail);
        Ok(())
    }
}

/// The failure, with what it means for the records before it.
fn stopped(mut failure: Failure, report: &Report, name: &str) -> Failure {
    failure.message = format!("{name}: {}", failure.message);
    match report.is_in() {
        0 => failure.detail("nothing was written"),
        records => failure
            .detail(format!("the {records} records before its chunk are in"))
            .hint("then run the same command again: what is in is not written twice"),
    }
}
