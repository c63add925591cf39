//! Sign-in with a code that is typed on another device: for machines without a browser.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::error::Error;
use super::issuer::UserCode;
use super::issuer_answers::Polled;
use super::manager::Identity;
use super::sign_in::SignIn;
use crate::base::clean;
use crate::base::secret::Secret;

/// How long a code counts.
pub(crate) const VALID: Duration = Duration::from_secs(15 * 60);
/// Time between two questions when the service names none, and its bounds.
const PAUSE: f64 = 5.0;
const SHORTEST: f64 = 0.1;
const LONGEST: f64 = 60.0;
/// A service that is asked too often is asked so much less often from then on, in seconds.
const SLOWER: f64 = 5.0;
/// So many questions in a row may get no answer: networks come and go within 15 minutes.
const LOST: u32 = 5;

/// A sign-in that waits for the code to be used.
pub(crate) struct DeviceSignIn {
    sign_in: SignIn,
    device: UserCode,
    code: String,
    ends: Instant,
}

impl DeviceSignIn {
    /// Asks for a code.
    ///
    /// # Errors
    /// The result could not be kept, or the service gives none.
    pub(crate) async fn begin(sign_in: SignIn) -> Result<Self, Error> {
        sign_in.check().await?;
        let device = sign_in.issuer.user_code().await?;
        let code = clean::line(&device.user_code, 40);
        Ok(Self { sign_in, device, code, ends: Instant::now() + VALID })
    }

    /// Where to type the code.
    pub(crate) fn url(&self) -> String {
        format!("{}/codex/device", self.sign_in.issuer.base())
    }

    /// The code.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// Waits until the code was used, and stores the tokens.
    ///
    /// # Errors
    /// The code ran out, the service refused, or the tokens cannot be used or kept.
    pub(crate) async fn finish(self) -> Result<Identity, Error> {
        let mut pace = Pace { pause: pause(&self.device.interval), lost: 0 };
        loop {
            if let Some((code, verifier)) = pace.after(self.sign_in.issuer.poll(&self.device).await?)? {
                let redirect = format!("{}/deviceauth/callback", self.sign_in.issuer.base());
                let answer = self.sign_in.issuer.exchange(&code, &verifier, &redirect).await?;
                return self.sign_in.keep(answer).await;
            }
            let next = Instant::now() + Duration::from_secs_f64(pace.pause);
            if next >= self.ends {
                let reason = "the code was not used within 15 minutes".to_owned();
                let hint = Some("get another one: codex login --device-auth");
                return Err(Error::Login { reason, hint });
            }
            tokio::time::sleep_until(next).await;
        }
    }
}

/// How often the service is asked.
struct Pace {
    /// Seconds until the next question.
    pause: f64,
    /// Questions in a row that got no answer.
    lost: u32,
}

impl Pace {
    /// Takes an answer in; code and verifier when there are any.
    fn after(&mut self, polled: Polled) -> Result<Option<(Secret, Secret)>, Error> {
        match polled {
            Polled::Code { code, verifier } => return Ok(Some((code, verifier))),
            Polled::Lost(reason) if self.lost >= LOST => return Err(Error::Login { reason, hint: None }),
            Polled::Lost(_) => self.lost += 1,
            Polled::Pending => self.lost = 0,
            Polled::Slower => *self = Self { pause: (self.pause + SLOWER).min(LONGEST), lost: 0 },
        }
        Ok(None)
    }
}

/// Seconds between two questions, of a text or a number.
fn pause(interval: &Value) -> f64 {
    let given = match interval {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    };
    given
        .filter(|seconds: &f64| seconds.is_finite())
        .map_or(PAUSE, |seconds| seconds.clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_asks_too_often_asks_less_often_from_then_on() {
        let mut pace = Pace { pause: 2.0, lost: 0 };
        let mut after = |polled| pace.after(polled).map(|code| (code.is_some(), pace.pause, pace.lost));
        let lost = || Polled::Lost("gone".to_owned());
        assert_eq!(after(Polled::Pending), Ok((false, 2.0, 0)));
        assert_eq!(after(Polled::Slower), Ok((false, 7.0, 0)));
        assert_eq!(after(Polled::Pending), Ok((false, 7.0, 0)), "it stays so");
        assert_eq!(after(lost()), Ok((false, 7.0, 1)));
        assert_eq!(after(Polled::Slower), Ok((false, 12.0, 0)), "an answer is an answer");
        for _ in 0..20 {
            after(Polled::Slower).unwrap();
        }
        assert_eq!(after(Polled::Slower), Ok((false, 60.0, 0)));
        for n in 1..=LOST {
            assert_eq!(after(lost()), Ok((false, 60.0, n)));
        }
        assert!(after(lost()).unwrap_err().to_string().contains("gone"));
        let code = Polled::Code { code: Secret::new("c"), verifier: Secret::new("v") };
        assert_eq!(after(code), Ok((true, 60.0, LOST)));
    }

    #[test]
    fn pauses() {
        for (interval, want) in [
            (json!("5"), 5.0),
            (json!(" 2 "), 2.0),
            (json!(3), 3.0),
            (json!("0"), 0.1),
            (json!("-1"), 0.1),
            (json!("1e9"), 60.0),
            (json!("NaN"), 5.0),
            (json!("soon"), 5.0),
            (json!(null), 5.0),
        ] {
            assert!((pause(&interval) - want).abs() < 1e-9, "{interval}");
        }
    }
}
