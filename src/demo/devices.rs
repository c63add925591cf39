//! Codes for other devices: given by the sign-in service, agreed to on its page, asked about by the client.

use std::collections::BTreeMap;

use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::oauth::{MOST, wrong};
use super::oauth_settings::Settings;
use super::play::Body;
use super::server::{refused, text};

/// Devices that wait, by their id.
#[derive(Debug, Default)]
pub(super) struct Devices(BTreeMap<String, Device>);

#[derive(Debug)]
struct Device {
    user_code: String,
    /// How often it was asked about.
    asked: u32,
    agreed: bool,
    verifier: String,
}

impl Devices {
    /// A code for another device; `None` when there are too many.
    pub(super) fn begin(&mut self) -> Option<Value> {
        if self.0.len() >= MOST {
            return None;
        }
        let id = Uuid::new_v4().to_string();
        let raw = Uuid::new_v4().simple().to_string().to_uppercase();
        let user_code: String = raw.chars().take(4).chain(['-']).chain(raw.chars().skip(4).take(5)).collect();
        let verifier = Uuid::new_v4().simple().to_string();
        let device = Device { user_code: user_code.clone(), asked: 0, agreed: false, verifier };
        self.0.insert(id.clone(), device);
        Some(json!({ "device_auth_id": id, "user_code": user_code, "interval": "0.1" }))
    }

    /// The verifier, once the code was agreed to; the device is forgotten then.
    ///
    /// # Errors
    /// The answer that refuses.
    pub(super) fn ask(
        &mut self,
        question: &Value,
        settings: &Settings,
    ) -> Result<String, Box<Response<Body>>> {
        let id = question.get("device_auth_id").and_then(Value::as_str).unwrap_or_default();
        let Some(device) = self.0.get_mut(id) else {
            return Err(Box::new(refused(StatusCode::NOT_FOUND, "not_found", "no such code")));
        };
        device.asked += 1;
        if question.get("user_code").and_then(Value::as_str) != Some(&device.user_code) {
            return Err(Box::new(refused(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "the code is of another device",
            )));
        }
        if let Some(error) = &settings.refuse {
            return Err(Box::new(wrong(StatusCode::BAD_REQUEST, "access_denied", error)));
        }
        if !device.agreed && (settings.pending > 1000 || device.asked <= settings.pending) {
            return Err(Box::new(refused(StatusCode::FORBIDDEN, "authorization_pending", "not yet")));
        }
        let verifier = device.verifier.clone();
        self.0.remove(id);
        Ok(verifier)
    }

    /// The page for people: `?code=` agrees to a code; without one it says so.
    pub(super) fn page(&mut self, code: &str) -> Response<Body> {
        match self.0.values_mut().find(|device| device.user_code == code) {
            Some(device) => {
                device.agreed = true;
                text(StatusCode::OK, "text/plain", "signed in; go back to the terminal\n")
            }
            None => text(StatusCode::OK, "text/plain", "add ?code= and the code to this address to agree\n"),
        }
    }
}
