//! What a file of users says, row by row: what its cells mean (`cells`), and whom its rows are about (`people`). Reading
//! the file and writing the users is `app::import`.

pub mod cells;
pub mod digests;
pub mod people;
