//! Usage limits: the shared cache, `codex usage`, and everything odd that a service can say.

mod bad;
mod bed;
mod canary;
mod command;
mod exit_codes;
mod redeem;
mod redeem_bed;
mod redeem_journal;
mod redeem_kills;
mod schema;
mod shared;
mod turns;
