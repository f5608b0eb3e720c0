//! `milepost audit explain`: the page of each check, the same that `docs/audit/` has.

/// A check, as its page explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explained {
    /// `SC-3`.
    pub id: &'static str,
    /// `rewind`.
    pub title: &'static str,
    /// `cookies`.
    pub category: &'static str,
    /// The page, Markdown.
    pub text: &'static str,
}

/// Every check's page, in the order in which they run.
pub fn explained() -> impl Iterator<Item = Explained> {
    crate::check::CHECKS
        .iter()
        .filter_map(|check| explain(check.id))
}

/// One check's page, by its id in any case.
#[must_use]
pub fn explain(id: &str) -> Option<Explained> {
    let check = crate::check::CHECKS
        .iter()
        .find(|check| check.id.eq_ignore_ascii_case(id))?;
    let (_, text) = PAGES.iter().find(|(known, _)| *known == check.id)?;
    Some(Explained {
        id: check.id,
        title: check.title,
        category: check.category,
        text,
    })
}

const PAGES: &[(&str, &str)] = &[
    ("SC-1", include_str!("../../../docs/audit/sc-1.md")),
    ("SC-2", include_str!("../../../docs/audit/sc-2.md")),
    ("SC-3", include_str!("../../../docs/audit/sc-3.md")),
    ("SC-4", include_str!("../../../docs/audit/sc-4.md")),
    ("UR-1", include_str!("../../../docs/audit/ur-1.md")),
    ("HS-1", include_str!("../../../docs/audit/hs-1.md")),
    ("CN-1", include_str!("../../../docs/audit/cn-1.md")),
    ("CN-2", include_str!("../../../docs/audit/cn-2.md")),
    ("IP-1", include_str!("../../../docs/audit/ip-1.md")),
    ("UA-1", include_str!("../../../docs/audit/ua-1.md")),
    ("OR-1", include_str!("../../../docs/audit/or-1.md")),
    ("OR-2", include_str!("../../../docs/audit/or-2.md")),
    ("OR-3", include_str!("../../../docs/audit/or-3.md")),
    ("MT-1", include_str!("../../../docs/audit/mt-1.md")),
    ("RP-1", include_str!("../../../docs/audit/rp-1.md")),
    ("RP-2", include_str!("../../../docs/audit/rp-2.md")),
    ("RP-3", include_str!("../../../docs/audit/rp-3.md")),
    ("PG-1", include_str!("../../../docs/audit/pg-1.md")),
    ("PG-2", include_str!("../../../docs/audit/pg-2.md")),
    ("PG-3", include_str!("../../../docs/audit/pg-3.md")),
    ("CA-1", include_str!("../../../docs/audit/ca-1.md")),
    ("CA-2", include_str!("../../../docs/audit/ca-2.md")),
    ("CA-3", include_str!("../../../docs/audit/ca-3.md")),
    ("CA-4", include_str!("../../../docs/audit/ca-4.md")),
    ("CA-5", include_str!("../../../docs/audit/ca-5.md")),
    ("CC-1", include_str!("../../../docs/audit/cc-1.md")),
    ("CC-2", include_str!("../../../docs/audit/cc-2.md")),
    ("CC-3", include_str!("../../../docs/audit/cc-3.md")),
    ("LK-1", include_str!("../../../docs/audit/lk-1.md")),
    ("SB-1", include_str!("../../../docs/audit/sb-1.md")),
    ("SB-2", include_str!("../../../docs/audit/sb-2.md")),
    ("IK-1", include_str!("../../../docs/audit/ik-1.md")),
    ("MM-1", include_str!("../../../docs/audit/mm-1.md")),
    ("LG-1", include_str!("../../../docs/audit/lg-1.md")),
    ("OA-1", include_str!("../../../docs/audit/oa-1.md")),
    ("OA-2", include_str!("../../../docs/audit/oa-2.md")),
    ("OA-3", include_str!("../../../docs/audit/oa-3.md")),
    ("OA-4", include_str!("../../../docs/audit/oa-4.md")),
    ("OA-5", include_str!("../../../docs/audit/oa-5.md")),
    ("OA-6", include_str!("../../../docs/audit/oa-6.md")),
    ("OA-7", include_str!("../../../docs/audit/oa-7.md")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_a_page_that_says_what_it_sends_proves_and_what_can_fool_it() {
        assert_eq!(explained().count(), crate::check::CHECKS.len());
        assert_eq!(PAGES.len(), crate::check::CHECKS.len());
        for page in explained() {
            assert!(
                page.text
                    .starts_with(&format!("# {}: {}", page.id, page.title)),
                "{}",
                page.id
            );
            for heading in [
                "## What it sends",
                "## What it proves",
                "## How to fix it",
                "## What can fool it",
            ] {
                assert!(page.text.contains(heading), "{}: {heading}", page.id);
            }
        }
        assert!(explain("sc-3").is_some() && explain("XX-1").is_none());
    }
}
