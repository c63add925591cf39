//! The routes by which tests script the backend and look into it. They always want the token, and they are not
//! counted themselves.

use hyper::{Method, Response, StatusCode};
use serde_json::json;

use super::oauth;
use super::play::Body;
use super::reset_credits;
use super::script::Script;
use super::server::{Backend, json_response, refused};

/// Serves `/control/…`:
/// `POST script` puts a scenario (TOML) in force, `POST faults` adds its `[[fault]]` entries,
/// `POST reset` forgets everything but the script,
/// `POST`, `PATCH` and `GET account` set, change and tell the account,
/// `POST oauth` and `POST oauth/tokens` steer the sign-in service,
/// `GET state` tells the counters, `GET requests` the recorded requests.
pub(crate) fn route(backend: &Backend, method: &Method, path: &str, body: &str) -> Response<Body> {
    if method == Method::POST
        && let Some(response) = oauth::control(&mut backend.state().oauth, path, body)
    {
        return response;
    }
    let ok = || json_response(StatusCode::OK, &backend.state().summary());
    match (method, path) {
        (&Method::POST, "/control/script") => match Script::read("script", body) {
            Ok(script) => {
                backend.state().install(script);
                ok()
            }
            Err(error) => refused(StatusCode::BAD_REQUEST, "script", &error.to_string()),
        },
        (&Method::POST, "/control/faults") => match Script::read("faults", body) {
            Ok(script) if script.rules.is_empty() => {
                backend.state().add_faults(script.faults);
                ok()
            }
            Ok(_) => refused(StatusCode::BAD_REQUEST, "script", "rules belong to POST /control/script"),
            Err(error) => refused(StatusCode::BAD_REQUEST, "script", &error.to_string()),
        },
        (&Method::POST, "/control/reset") => {
            backend.state().reset();
            ok()
        }
        (_, "/control/account") => reset_credits::control(backend, method, body),
        (&Method::GET, "/control/state") => ok(),
        (&Method::GET, "/control/requests") => {
            json_response(StatusCode::OK, &json!(backend.state().requests))
        }
        _ => refused(StatusCode::NOT_FOUND, "not_found", &format!("nothing at {method} {path}")),
    }
}
