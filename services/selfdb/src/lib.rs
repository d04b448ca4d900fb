//! The composition root: configuration of the whole platform, one process or many, and the
//! operator's commands.

pub mod cli;
pub mod command;
pub mod config;
pub mod console;
pub mod database;
pub mod env_file;
pub mod listeners;
pub mod probe;
pub mod processes;
pub mod single;
