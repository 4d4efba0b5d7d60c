//! Options that set the share of things with each behaviour.

use clap::Args;
use device::fleet::BehaviourShares;

#[derive(Debug, Args)]
pub struct FleetShares {
    /// Give a mix of behaviours to the things, and ignore the shares below
    #[arg(long)]
    mixed: bool,
    /// Share of things that run commands, and fail
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    fail: f64,
    /// Share of things that run commands for seconds, with heartbeats
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    slow: f64,
    /// Share of things that send every report twice
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    twice: f64,
    /// Share of things that report only after the ttl
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    late: f64,
    /// Share of things that lose their connection while a command runs, end it, and reconnect
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    offline: f64,
    /// Share of things that never connect
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    never_online: f64,
    /// Share of things that accept a command, lose power, and reconnect without memory
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    crash: f64,
    /// Share of things that receive requests and never report
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    mute: f64,
    /// Share of things that do not know the command
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    reject: f64,
    /// Share of things that fail at the first attempt, and succeed at the next
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    flaky: f64,
    /// Share of things that accept a command, lose power, and reconnect with their memory
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    reboot: f64,
    /// Share of things that report IN_PROGRESS after the final status
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    out_of_order: f64,
    /// Share of things that are connected for minutes and offline for minutes, alternately
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    come_and_go: f64,
}

impl FleetShares {
    pub fn shares(&self) -> BehaviourShares {
        if self.mixed {
            return BehaviourShares::mixed();
        }
        let &Self { fail, slow, twice, late, offline, never_online, crash, mute, reject, .. } = self;
        let &Self { flaky, reboot, out_of_order, come_and_go, .. } = self;
        BehaviourShares {
            fail,
            slow,
            twice,
            late,
            offline,
            never_online,
            crash,
            mute,
            reject,
            flaky,
            reboot,
            out_of_order,
            come_and_go,
        }
    }
}
