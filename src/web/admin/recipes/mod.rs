//! The recipes: files in `recipes/`, and the steps in which a developer uses them. Each recipe is shown with
//! this site's real values.

mod list;

use std::io::{Cursor, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rust_embed::RustEmbed;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

pub use list::GROUPS;

use crate::app::App;
use crate::core::messenger::Messenger;
use crate::web::http::client::Client;
use crate::web::http::error::Failure;
use crate::web::http::public;

#[derive(RustEmbed)]
#[folder = "recipes/"]
struct Files;

/// A recipe as the page shows it.
pub struct Recipe {
    /// The file in `recipes/`, or a folder there, with `.zip` appended.
    pub name: &'static str,
    /// The name of the downloaded file.
    pub saved_as: &'static str,
    /// What the recipe is for.
    pub title: &'static str,
    /// When to use it; may be empty.
    pub lead: &'static str,
    /// What to do, in order.
    pub steps: &'static [Step],
    /// Whether the project's own tests build or run it.
    pub is_tried: bool,
}

/// One step: a sentence, and what is shown with it.
pub struct Step(pub &'static str, pub With);

/// What is shown with the sentence of a step.
pub enum With {
    /// Nothing.
    Words,
    /// A page of the console: its path, and the text of the link.
    Link(&'static str, &'static str),
    /// A file in `recipes/` whose content is pasted somewhere.
    Paste(&'static str),
    /// The recipe's file, to copy or to download.
    File,
    /// The recipe's file, to download only.
    Download,
    /// A button that creates a connection code for a key with this name.
    ConnectionCode(&'static str),
}

/// A heading, the sentence below it, and the recipes.
pub type Group = (&'static str, &'static str, &'static [Recipe]);

/// Fills this site's values into recipes.
pub struct Values(Vec<(&'static str, String)>);

impl Values {
    /// The values for a messenger, with the address at which this client reaches the server.
    pub fn new(app: &App, client: &Client, messenger: &Messenger) -> Self {
        let desk: Vec<String> =
            messenger.page_origins().iter().map(|origin| origin.as_str().to_owned()).collect();
        let desk = if desk.is_empty() { "https://YOUR-HELPDESK".to_owned() } else { desk.join(" ") };
        // An origin with `https:` has `wss:` for its WebSockets.
        let sockets: Vec<String> = desk.split(' ').map(|origin| origin.replacen("http", "ws", 1)).collect();
        Self(vec![
            ("{{accounts}}", format!("{}{}", client.origin(), public::prefix(app))),
            ("{{origin}}", client.origin().to_owned()),
            ("{{listen}}", reached(app.settings().listen).to_string()),
            ("{{messenger}}", messenger.id.to_string()),
            ("{{desk}}", desk),
            ("{{sockets}}", sockets.join(" ")),
        ])
    }

    /// Fills the values into a string.
    pub fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// A file in `recipes/`, with the values filled in.
    pub fn file(&self, name: &str) -> String {
        Files::get(name).map(|file| self.fill(&String::from_utf8_lossy(&file.data))).unwrap_or_default()
    }

    /// The download of a recipe and its media type: the file, or a zip file that contains the folder under
    /// the name `countersign`.
    pub fn download(&self, recipe: &Recipe) -> Result<(&'static str, Vec<u8>), Failure> {
        let Some(folder) = recipe.name.strip_suffix(".zip") else {
            return Ok(("text/plain; charset=utf-8", self.file(recipe.name).into_bytes()));
        };
        let failed = |error: &dyn std::error::Error| Failure::Internal(format!("{}: {error}", recipe.name));
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for path in Files::iter() {
            let Some(name) = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) else {
                continue;
            };
            zip.start_file(format!("countersign/{name}"), stored).map_err(|error| failed(&error))?;
            zip.write_all(self.file(&path).as_bytes()).map_err(|error| failed(&error))?;
        }
        Ok(("application/zip", zip.finish().map_err(|error| failed(&error))?.into_inner()))
    }
}

/// The address at which a program on this machine reaches a server that listens on `listen`.
fn reached(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        ip if !ip.is_unspecified() => listen,
        IpAddr::V4(_) => (Ipv4Addr::LOCALHOST, listen.port()).into(),
        IpAddr::V6(_) => (Ipv6Addr::LOCALHOST, listen.port()).into(),
    }
}
