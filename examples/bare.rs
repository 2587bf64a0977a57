//! A bare actix-web server for `benches/token_load.py`: one handler that answers with the bytes and headers of a
//! file. What it costs is the least that an answer of this size can cost.
//!
//! `bare ADDRESS FILE`: the file has the headers of the answer, a blank line, and the body.

use actix_web::{App, HttpResponse, HttpServer, web};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err(std::io::Error::other("usage: bare ADDRESS FILE"));
    };
    let answer = std::fs::read_to_string(file)?;
    let (head, body) = answer.split_once("\n\n").ok_or_else(|| std::io::Error::other("no blank line"))?;
    let headers: Vec<(String, String)> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let (headers, body) = (web::Data::new(headers), web::Data::new(body.to_owned()));
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(move || {
            let handler = |headers: web::Data<Vec<(String, String)>>, body: web::Data<String>| async move {
                let mut response = HttpResponse::Ok();
                for (name, value) in headers.iter() {
                    response.insert_header((name.as_str(), value.as_str()));
                }
                response.body(body.as_str().to_owned())
            };
            App::new()
                .app_data(headers.clone())
                .app_data(body.clone())
                .route("/api/v1/token", web::get().to(handler))
                .route("/", web::get().to(handler))
        })
        .workers(1)
        .bind(address)?
        .run()
        .await
    })
}
