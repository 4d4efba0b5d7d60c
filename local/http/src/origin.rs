//! Refuses requests of pages of other websites. A browser lets any page send simple requests to this machine, and open a
//! WebSocket, and the customary credentials `test` are known to every page. The browser says in `Origin` whose page it is.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// A layer for `axum::middleware::from_fn`: answers 403 to a page of another machine. Programs send no `Origin`; a page that
/// this machine serves, at `localhost` or a loopback address, may use the stack.
pub async fn refuse_other_machines(request: Request, next: Next) -> Response {
    match foreign_origin(request.headers()) {
        None => next.run(request).await,
        Some(origin) => {
            let message = format!(
                "a page of {origin} may not use this stack: only pages that are served at localhost or a loopback address may\n"
            );
            (StatusCode::FORBIDDEN, message).into_response()
        }
    }
}

/// The origin of a request that comes from a page of another machine.
fn foreign_origin(headers: &HeaderMap) -> Option<String> {
    let origins = headers.get_all(header::ORIGIN).iter();
    let foreign = origins.map(|origin| String::from_utf8_lossy(origin.as_bytes())).find(|origin| !is_own(origin));
    foreign.map(|origin| origin.chars().take(200).filter(|c| !c.is_control()).collect())
}

/// Pages that have no host, such as files and frames that are set apart, send `null`.
fn is_own(origin: &str) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    uri.scheme().is_some()
        && (host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|ip| ip.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_machine_are_its_own() {
        for own in [
            "http://localhost",
            "http://localhost:5173",
            "https://LOCALHOST:8443",
            "http://app.localhost:3000",
            "http://127.0.0.1:3000",
            "http://127.8.0.1",
            "http://[::1]:3000",
        ] {
            assert!(is_own(own), "{own}");
        }
        for foreign in [
            "",
            "null",
            "localhost",
            "https://evil.example",
            "https://localhost.evil.example",
            "https://evil.example:443/localhost",
            "https://evil-localhost",
            "http://127.0.0.1.evil.example",
            "http://10.0.0.1",
            "http://[::2]",
            "http://localhost@evil.example",
            "file://",
            "http://loc alhost",
        ] {
            assert!(!is_own(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_request_without_an_origin_comes_from_a_program() {
        let mut headers = HeaderMap::new();
        assert_eq!(foreign_origin(&headers), None);
        headers.append(header::ORIGIN, "http://localhost".parse().unwrap());
        assert_eq!(foreign_origin(&headers), None);
        headers.append(header::ORIGIN, "https://evil.example".parse().unwrap());
        assert_eq!(foreign_origin(&headers).as_deref(), Some("https://evil.example"), "each of them counts");
    }
}
