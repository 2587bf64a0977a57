//! A document as the checks read it: its code, its links and its anchors.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The parts of a document that name something.
#[derive(Default)]
pub struct Document {
    /// Code inside a sentence.
    pub spans: Vec<String>,
    /// Lines of code blocks.
    pub lines: Vec<String>,
    /// Where links and pictures lead.
    pub links: Vec<String>,
    /// What links to this document may name behind a `#`.
    pub anchors: Vec<String>,
}

impl Document {
    pub fn read(text: &str) -> Self {
        let mut document = Self::default();
        let (mut heading, mut block) = (None::<String>, None::<String>);
        for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => document.add_anchor(&heading.take().unwrap_or_default()),
                Event::Start(Tag::CodeBlock(_)) => block = Some(String::new()),
                Event::End(TagEnd::CodeBlock) => {
                    document.lines.extend(block.take().unwrap_or_default().lines().map(str::to_owned));
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(dest_url.to_string());
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    for attribute in ["href=\"", "src=\"", "srcset=\""] {
                        document.links.extend(values(&html, attribute));
                    }
                    document.anchors.extend(values(&html, "id=\""));
                }
                Event::Code(code) => {
                    if let Some(words) = &mut heading {
                        words.push_str(&code);
                    }
                    document.spans.push(code.to_string());
                }
                Event::Text(words) => {
                    if let Some(open) = block.as_mut().or(heading.as_mut()) {
                        open.push_str(&words);
                    }
                }
                _ => {}
            }
        }
        document
    }

    /// The anchor of a heading, as GitHub makes it: the second of two equal headings ends with `-1`.
    fn add_anchor(&mut self, words: &str) {
        let letters =
            words.trim().chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        let slug: String = letters.map(|letter| if letter == ' ' { '-' } else { letter }).collect();
        let slug = slug.to_lowercase();
        let mut anchor = slug.clone();
        for number in 1.. {
            if !self.anchors.contains(&anchor) {
                break;
            }
            anchor = format!("{slug}-{number}");
        }
        self.anchors.push(anchor);
    }

    pub fn code(&self) -> impl Iterator<Item = &String> {
        self.spans.iter().chain(&self.lines)
    }
}

/// The values of an attribute in HTML.
fn values(html: &str, attribute: &str) -> Vec<String> {
    html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}
