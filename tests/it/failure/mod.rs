//! What holds when something breaks: a database that is away or stalled, a program that is
//! killed, a file that another process holds.

mod database;
mod held;
mod killed;
