//! The picture in `docs/architecture.md` shows the layers that the architecture test enforces.

use std::collections::BTreeSet;
use std::path::Path;

use crate::architecture::{RULES, rust_files};

#[test]
fn the_picture_of_the_layers_shows_what_they_may_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/architecture.md")).expect("the page with the picture");
    let drawn = page.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a picture");
    let arrows = Picture::read(drawn).arrows();
    for (layer, words, _) in RULES {
        let may_name = |other: &&str| {
            let path = format!("crate::{other}");
            *other != *layer && !words.iter().any(|word| *word == path || *word == "crate::")
        };
        let allowed: BTreeSet<&str> = RULES.iter().map(|(other, ..)| *other).filter(may_name).collect();
        assert_eq!(below(layer, &arrows), allowed, "what {layer} may name, in the picture and by the rules");
    }
    for (layer, other) in arrows {
        let files = rust_files(&root.join("src").join(layer));
        let names = format!("crate::{other}");
        let is_used =
            files.iter().any(|file| std::fs::read_to_string(file).expect("a source file").contains(&names));
        assert!(
            is_used,
            "the picture has an arrow from {layer} to {other}, but no file of {layer} names {other}"
        );
    }
}

#[test]
fn the_arrows_of_a_picture_are_read() {
    let drawn = "\
app ──┐        words beside it
 │    ▼
 │  config ──▶ core
 ▼
store
";
    let arrows = Picture::read(drawn).arrows();
    assert_eq!(arrows, BTreeSet::from([("app", "config"), ("app", "store"), ("config", "core")]));
    assert_eq!(below("app", &arrows), BTreeSet::from(["config", "core", "store"]));
}

/// The layers that arrows lead to from a layer, over any number of others.
fn below(layer: &'static str, arrows: &BTreeSet<(&'static str, &'static str)>) -> BTreeSet<&'static str> {
    let (mut found, mut open) = (BTreeSet::new(), vec![layer]);
    while let Some(from) = open.pop() {
        let next = arrows.iter().filter(|(start, _)| *start == from).map(|(_, end)| *end);
        open.extend(next.filter(|end| found.insert(*end)));
    }
    found
}

/// A picture of layers. A line begins below a name or one space behind it, may turn, and ends with a
/// head before a name.
struct Picture(Vec<Vec<char>>);

/// Where a line goes on.
#[derive(Clone, Copy)]
enum Way {
    Down,
    Left,
    Right,
}

impl Picture {
    fn read(drawn: &str) -> Self {
        Self(drawn.lines().map(|line| line.chars().collect()).collect())
    }

    fn sign(&self, row: usize, column: usize) -> char {
        self.0.get(row).and_then(|line| line.get(column)).copied().unwrap_or(' ')
    }

    /// The layer whose name is written over a place.
    fn layer(&self, row: usize, column: usize) -> Option<&'static str> {
        let is_letter = |at: &usize| self.sign(row, *at).is_ascii_lowercase();
        let start = (0..=column).rev().take_while(is_letter).last()?;
        let name: String = (start..).take_while(is_letter).map(|at| self.sign(row, at)).collect();
        RULES.iter().map(|(layer, ..)| *layer).find(|layer| *layer == name)
    }

    fn arrows(&self) -> BTreeSet<(&'static str, &'static str)> {
        let mut arrows = BTreeSet::new();
        for (row, line) in self.0.iter().enumerate() {
            for column in 0..line.len() {
                let Some(layer) = self.layer(row, column) else { continue };
                if self.sign(row + 1, column) == '│' {
                    arrows.insert((layer, self.end(row + 1, column, Way::Down)));
                }
                if self.sign(row, column + 1) == ' ' && self.sign(row, column + 2) == '─' {
                    arrows.insert((layer, self.end(row, column + 2, Way::Right)));
                }
            }
        }
        arrows
    }

    /// The layer at the end of the line that goes over a place.
    fn end(&self, mut row: usize, mut column: usize, mut way: Way) -> &'static str {
        loop {
            let sign = self.sign(row, column);
            way = match (way, sign) {
                (Way::Down, '│') | (Way::Left | Way::Right, '─') => way,
                (Way::Right, '┐') | (Way::Left, '┌') => Way::Down,
                (Way::Down, '┘') => Way::Left,
                (Way::Down, '└') => Way::Right,
                (Way::Down, '▼') | (Way::Left, '◀') | (Way::Right, '▶') => break,
                _ => panic!("row {row}, column {column} of the picture: a line ends with '{sign}'"),
            };
            (row, column) = step(row, column, way);
        }
        (row, column) = step(row, column, way);
        if self.sign(row, column) == ' ' {
            (row, column) = step(row, column, way);
        }
        self.layer(row, column)
            .unwrap_or_else(|| panic!("row {row}, column {column} of the picture: no layer"))
    }
}

fn step(row: usize, column: usize, way: Way) -> (usize, usize) {
    match way {
        Way::Down => (row + 1, column),
        Way::Left => (row, column - 1),
        Way::Right => (row, column + 1),
    }
}
