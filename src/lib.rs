#![doc = include_str!("ARCHITECTURE.md")]

// In layer order, ground first. A module imports only from modules above it in this list, or as the map allows.
mod base;
mod protocol;

mod config;
mod demo;
mod net;
mod patch;
mod process;

mod approvals;
mod auth;
mod sandbox;
mod workspace;

mod backend;
mod models;
mod responses;
mod threads;

mod limits;

mod tools;

mod agent;

mod exec;
mod tui;

pub mod cli;

#[doc(hidden)]
pub mod bench;
