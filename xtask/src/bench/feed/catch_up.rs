//! Catching up from the very first change: as fast as the same bytes can be sent, and the same rows read?

use std::{net::SocketAddr, path::Path};

use serde_json::Value;

use super::{Milepost, Options, Report, SHAPE, beginning, figures, news::empty, number};
use crate::{
    bench::{
        folder,
        load::binary,
        peers::durable_streams,
        pinned::{Pinned, free_address, server},
        report::Goal,
        rounds::{Contestant, interleave},
    },
    say,
};

/// The control, with captured pages.
#[derive(Debug)]
pub(super) struct BarePages {
    pub(super) process: Pinned,
}

impl BarePages {
    /// Starts it on a folder of pages.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) fn sending(pages: &Path) -> Result<Self, String> {
        let address = free_address()?;
        let mut command = server(binary("bare_pages"));
        command.args(["--listen", &address.to_string(), "--pages"]);
        command.arg(pages);
        let log = folder()?.join("bare_pages.log");
        let process = Pinned::start(command, address, &log)?;
        Ok(Self { process })
    }
}

/// Follows a feed to its head over one connection; what came.
///
/// # Errors
/// When an answer is none.
pub(super) fn catch_up(
    server: SocketAddr,
    from: &str,
    save: Option<&Path>,
) -> Result<Value, String> {
    let save = save.map_or_else(|| "-".to_owned(), |folder| folder.display().to_string());
    figures(
        "feed_catch_up",
        &[
            ("server", &server.to_string()),
            ("from", from),
            ("save", &save),
            ("kind", "milepost"),
        ],
    )
}

/// Measures rows (documents) a second, of all contestants.
///
/// # Errors
/// When Milepost fails.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let milepost = Milepost::with("behind", options.many, SHAPE)?.reopened()?;
    let from = beginning(&milepost)?;
    let saved = empty("behind")?;
    let came = catch_up(milepost.process.address, &from, Some(&saved))?;
    let megabytes = number(&came, "bytes") / 1e6;
    let documents = f64::from(options.many);
    let bare = BarePages::sending(&saved)?;
    let peer = durable_streams::start(options.many)
        .inspect_err(|reason| {
            say::talk(reason);
            report.line(&format!("Durable Streams is left out: {reason}"));
        })
        .ok();
    let rate = |seconds: f64| documents / seconds;
    let follow = |server: SocketAddr| {
        let came = catch_up(server, &from, None)?;
        Ok(rate(number(&came, "seconds")))
    };
    let data = milepost.data().display().to_string();
    let scan = || {
        let scanned = figures("feed_scan", &[("data", &data)])?;
        Ok(number(&scanned, "rows") / number(&scanned, "seconds"))
    };
    let mut contestants = vec![
        Contestant::new("bare axum, the same bytes", || follow(bare.process.address)),
        Contestant::new("a scan of the same rows", scan),
        Contestant::new("Milepost", || follow(milepost.process.address)),
    ];
    if let Some(peer) = &peer {
        contestants.push(Contestant::new("Durable Streams (npm)", || {
            Ok(rate(peer.catch_up()?))
        }));
    }
    let goals = [
        Goal {
            against: "a scan",
            ratio: 0.25,
        },
        Goal {
            against: "Durable",
            ratio: 5.0,
        },
    ];
    let title = format!("Catching up with {} changes", options.many);
    let rounds = interleave(options.rounds.min(3), &mut contestants)?;
    report.add(&title, &rounds, &goals);
    report.line(&format!(
        "\nDocuments a second; all of it is {megabytes:.0} MB in {:.0} pages: {:.0} MB/s from bare axum, \
         {:.0} MB/s from Milepost.",
        number(&came, "pages"),
        megabytes * rounds.median(0) / documents,
        megabytes * rounds.median(2) / documents,
    ));
    Ok(())
}
