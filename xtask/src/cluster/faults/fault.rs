//! The faults: what strikes, and how it is mended.

use super::site::Site;
use crate::cluster::{
    database::{self, Standing},
    processes::Signal,
};

/// One kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    KillNode,
    FreezeNode,
    CutNode,
    KillPrimary,
    KillStandby,
    KillPatroni,
    FreezePrimary,
    CutPrimary,
    KillEtcd,
}

/// In the order in which they strike: the frequent ones between the hard ones.
pub(super) const ALL: &[Fault] = &[
    Fault::KillNode,
    Fault::KillPrimary,
    Fault::FreezeNode,
    Fault::KillStandby,
    Fault::CutNode,
    Fault::KillPatroni,
    Fault::KillEtcd,
    Fault::CutPrimary,
    Fault::FreezePrimary,
];

/// Whom it struck.
#[derive(Clone, Copy, Debug)]
pub(super) struct Victim(usize);

impl Fault {
    /// What to call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::KillNode => "kill -9 of a node",
            Self::FreezeNode => "a node frozen and resumed",
            Self::CutNode => "a node cut off",
            Self::KillPrimary => "kill -9 of the primary with its Patroni",
            Self::KillStandby => "kill -9 of the synchronous standby with its Patroni",
            Self::KillPatroni => "kill -9 of the primary's Patroni alone",
            Self::FreezePrimary => "the primary and its Patroni frozen and resumed",
            Self::CutPrimary => "the primary's machine cut off",
            Self::KillEtcd => "kill -9 of one etcd",
        }
    }

    /// Why it can't strike here, if so.
    pub(super) fn obstacle(self, site: &Site) -> Option<&'static str> {
        match self {
            Self::CutNode | Self::CutPrimary => {
                let has_cables = site.nodes.iter().all(|node| node.host.has_cable());
                (!has_cables).then_some("there are no network namespaces to cut off")
            }
            Self::FreezePrimary => (!database::keeps_lost_locks_lost()).then_some(
                "before 3.0.3 Patroni takes back a lock that it lost while it was frozen",
            ),
            _ => None,
        }
    }

    /// Strikes; `number` chooses among those that it may strike.
    ///
    /// # Errors
    /// When there is nobody to strike.
    pub(super) fn strike(self, site: &mut Site, number: usize) -> Result<Victim, String> {
        let primary = |site: &Site| {
            site.assembly
                .only(Standing::Primary)
                .ok_or("no machine leads")
        };
        let victim = match self {
            Self::KillNode | Self::FreezeNode | Self::CutNode => number % site.nodes.len().max(1),
            Self::KillEtcd => number % site.assembly.etcd.len().max(1),
            Self::KillStandby => site
                .assembly
                .only(Standing::SynchronousStandby)
                .ok_or("no machine stands by")?,
            Self::KillPrimary | Self::KillPatroni | Self::FreezePrimary | Self::CutPrimary => {
                primary(site)?
            }
        };
        self.hit(site, victim)?;
        Ok(Victim(victim))
    }

    fn hit(self, site: &mut Site, victim: usize) -> Result<(), String> {
        let Site {
            nodes, assembly, ..
        } = site;
        let node = nodes.get_mut(victim);
        let machine = assembly.databases.get_mut(victim);
        let member = assembly.etcd.get_mut(victim);
        let (Some(node), Some(machine), Some(member)) = (node, machine, member) else {
            return Err(format!("nobody has number {victim}"));
        };
        match self {
            Self::KillNode => node.kill(),
            Self::FreezeNode => node.send(Signal::Stop),
            Self::CutNode => node.host.cut()?,
            Self::KillPrimary | Self::KillStandby => machine.kill(&assembly.place),
            Self::KillPatroni => machine.kill_patroni(),
            Self::FreezePrimary => machine.send(&assembly.place, Signal::Stop),
            Self::CutPrimary => machine.host.cut()?,
            Self::KillEtcd => member.kill(&assembly.place),
        }
        Ok(())
    }

    /// Mends it.
    ///
    /// # Errors
    /// When what was struck can't be started again.
    pub(super) fn mend(self, site: &mut Site, victim: Victim) -> Result<(), String> {
        let etcd = site.assembly.etcd_addresses();
        let Site {
            nodes, assembly, ..
        } = site;
        let node = nodes.get_mut(victim.0);
        let machine = assembly.databases.get_mut(victim.0);
        let member = assembly.etcd.get_mut(victim.0);
        let (Some(node), Some(machine), Some(member)) = (node, machine, member) else {
            return Err(format!("nobody has number {}", victim.0));
        };
        match self {
            Self::KillNode => node.start(&assembly.place),
            Self::FreezeNode => {
                node.send(Signal::Continue);
                Ok(())
            }
            Self::CutNode => node.host.mend(),
            Self::KillPrimary | Self::KillStandby | Self::KillPatroni => {
                machine.start(&assembly.place, &etcd)
            }
            Self::FreezePrimary => {
                machine.send(&assembly.place, Signal::Continue);
                Ok(())
            }
            Self::CutPrimary => machine.host.mend(),
            Self::KillEtcd => member.start(&assembly.place),
        }
    }
}
