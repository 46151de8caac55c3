//! The set of keys that tickets may be signed with.

use std::{collections::HashMap, fmt};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};
use stampede_domain::limits::TEXT_ID_BYTES_MAX;

/// Keys in one set: enough to rotate every issuer at once.
pub const KEYS_MAX: usize = 32;
/// Bytes of an HS256 secret at least: as many as the hash has.
pub const SECRET_BYTES_MIN: usize = 32;

/// Bytes of an Ed25519 key or seed, and of one P-256 coordinate.
const CURVE_BYTES: usize = 32;
/// PKCS #8 wrapping of a bare Ed25519 seed (RFC 8410, section 7).
const ED25519_PKCS8_HEAD: [u8; 16] =
    [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// How tickets of one key are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC with SHA-256: platform and Stampede share a secret.
    Hs256,
    /// Ed25519: Stampede only knows the public key.
    EdDsa,
    /// ECDSA on P-256 with SHA-256: Stampede only knows the public key.
    Es256,
}

impl Algorithm {
    pub(crate) const fn jwt(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Hs256 => jsonwebtoken::Algorithm::HS256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        })
    }
}

/// One key as a JSON Web Key (RFC 7517, RFC 8037): what a key file lists.
///
/// Members that are not listed here are skipped, as the RFC asks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySpec {
    /// The key's id: 1 to 64 bytes. Tickets name it in their header.
    pub kid: String,
    /// `oct`, `OKP` or `EC`.
    pub kty: String,
    /// `HS256`, `EdDSA` or `ES256`.
    pub alg: String,
    /// `Ed25519` for `OKP`, `P-256` for `EC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// The secret of `oct`, base64url without padding, at least [`SECRET_BYTES_MIN`] bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<String>,
    /// The public key of `OKP`, or the first coordinate of `EC`, base64url without padding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// The second coordinate of `EC`, base64url without padding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// The private key of `OKP`; only who mints needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d: Option<String>,
}

/// Why a key or a set of keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Fewer or more keys than a set has.
    #[error("{count} ticket keys; 1 to {max} are allowed")]
    Count {
        /// How many there are.
        count: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// The key's id is empty or too long.
    #[error("a ticket key's kid has {bytes} bytes; 1 to {max} are allowed")]
    KeyIdLength {
        /// Its length.
        bytes: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// Two keys have the same id.
    #[error("two ticket keys have the kid {kid:?}")]
    DuplicateKeyId {
        /// The id.
        kid: String,
    },
    /// A combination of members that is none of the three.
    #[error(
        "ticket key {kid:?}: use kty oct with alg HS256, OKP with crv Ed25519 and EdDSA, or EC with crv P-256 and ES256"
    )]
    Unsupported {
        /// The key's id.
        kid: String,
    },
    /// A member that the key needs is absent.
    #[error("ticket key {kid:?} needs the member {member}")]
    Missing {
        /// The key's id.
        kid: String,
        /// The member.
        member: &'static str,
    },
    /// A member is not base64url without padding.
    #[error("ticket key {kid:?}: {member} is not base64url without padding")]
    NotBase64 {
        /// The key's id.
        kid: String,
        /// The member.
        member: &'static str,
    },
    /// A member has the wrong length.
    #[error("ticket key {kid:?}: {member} has {bytes} bytes; {expected} {needed} needed")]
    Length {
        /// The key's id.
        kid: String,
        /// The member.
        member: &'static str,
        /// Its length once decoded.
        bytes: usize,
        /// `exactly` or `at least`.
        expected: &'static str,
        /// The length that it needs.
        needed: usize,
    },
    /// The key can check tickets but not sign them here.
    #[error("ticket key {kid:?} cannot sign: minting takes HS256, or EdDSA with the member d")]
    CannotSign {
        /// The key's id.
        kid: String,
    },
}

impl KeySpec {
    /// A key for HS256 from random bytes.
    pub fn hs256(kid: &str, secret: &[u8]) -> Self {
        Self {
            kid: kid.to_owned(),
            kty: "oct".to_owned(),
            alg: "HS256".to_owned(),
            crv: None,
            k: Some(URL_SAFE_NO_PAD.encode(secret)),
            x: None,
            y: None,
            d: None,
        }
    }

    /// The algorithm that the members name.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`].
    pub fn algorithm(&self) -> Result<Algorithm, KeyError> {
        match (&*self.kty, &*self.alg, self.crv.as_deref()) {
            ("oct", "HS256", None) => Ok(Algorithm::Hs256),
            ("OKP", "EdDSA", Some("Ed25519")) => Ok(Algorithm::EdDsa),
            ("EC", "ES256", Some("P-256")) => Ok(Algorithm::Es256),
            _ => Err(KeyError::Unsupported { kid: self.kid.clone() }),
        }
    }

    fn decoding(&self) -> Result<(Algorithm, DecodingKey), KeyError> {
        let algorithm = self.algorithm()?;
        let key = match algorithm {
            Algorithm::Hs256 => DecodingKey::from_secret(&self.secret()?),
            Algorithm::EdDsa => DecodingKey::from_ed_der(&self.curve("x", self.x.as_ref())?),
            Algorithm::Es256 => {
                // An uncompressed point: 4, then both coordinates (SEC 1, section 2.3.3).
                let mut point = vec![4];
                point.extend(self.curve("x", self.x.as_ref())?);
                point.extend(self.curve("y", self.y.as_ref())?);
                DecodingKey::from_ec_der(&point)
            }
        };
        Ok((algorithm, key))
    }

    /// The algorithm and the key that signs.
    pub(crate) fn encoding(&self) -> Result<(Algorithm, EncodingKey), KeyError> {
        let cannot = || KeyError::CannotSign { kid: self.kid.clone() };
        let algorithm = self.algorithm()?;
        let key = match algorithm {
            Algorithm::Hs256 => EncodingKey::from_secret(&self.secret()?),
            Algorithm::EdDsa => {
                let mut der = ED25519_PKCS8_HEAD.to_vec();
                der.extend(self.curve("d", Some(self.d.as_ref().ok_or_else(cannot)?))?);
                EncodingKey::from_ed_der(&der)
            }
            Algorithm::Es256 => return Err(cannot()),
        };
        Ok((algorithm, key))
    }

    fn secret(&self) -> Result<Vec<u8>, KeyError> {
        let secret = self.bytes("k", self.k.as_ref())?;
        if secret.len() < SECRET_BYTES_MIN {
            return Err(self.length("k", secret.len(), "at least", SECRET_BYTES_MIN));
        }
        Ok(secret)
    }

    fn curve(&self, member: &'static str, text: Option<&String>) -> Result<Vec<u8>, KeyError> {
        let bytes = self.bytes(member, text)?;
        if bytes.len() != CURVE_BYTES {
            return Err(self.length(member, bytes.len(), "exactly", CURVE_BYTES));
        }
        Ok(bytes)
    }

    fn bytes(&self, member: &'static str, text: Option<&String>) -> Result<Vec<u8>, KeyError> {
        let text = text.ok_or_else(|| KeyError::Missing { kid: self.kid.clone(), member })?;
        let not_base64 = |_| KeyError::NotBase64 { kid: self.kid.clone(), member };
        URL_SAFE_NO_PAD.decode(text).map_err(not_base64)
    }

    fn length(
        &self,
        member: &'static str,
        bytes: usize,
        expected: &'static str,
        needed: usize,
    ) -> KeyError {
        KeyError::Length { kid: self.kid.clone(), member, bytes, expected, needed }
    }
}

impl fmt::Debug for KeySpec {
    /// Shows no secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySpec({:?} {})", self.kid, self.alg)
    }
}

/// The keys that are good now. Several at once let an issuer change keys without a gap.
#[derive(Clone)]
pub struct TicketKeys {
    by_id: HashMap<Box<str>, (Algorithm, DecodingKey)>,
}

impl TicketKeys {
    /// Checks every key of a set.
    ///
    /// # Errors
    /// The first thing that is wrong, in the order of the keys.
    pub fn new(specs: &[KeySpec]) -> Result<Self, KeyError> {
        let (count, max) = (specs.len(), KEYS_MAX);
        if count == 0 || count > max {
            return Err(KeyError::Count { count, max });
        }
        let mut by_id = HashMap::with_capacity(count);
        for spec in specs {
            let (bytes, max) = (spec.kid.len(), TEXT_ID_BYTES_MAX);
            if bytes == 0 || bytes > max {
                return Err(KeyError::KeyIdLength { bytes, max });
            }
            if by_id.insert(spec.kid.as_str().into(), spec.decoding()?).is_some() {
                return Err(KeyError::DuplicateKeyId { kid: spec.kid.clone() });
            }
        }
        Ok(Self { by_id })
    }

    pub(crate) fn find(&self, kid: &str) -> Option<&(Algorithm, DecodingKey)> {
        self.by_id.get(kid)
    }
}

impl fmt::Debug for TicketKeys {
    /// Shows ids with algorithms, no key material.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.by_id.iter().map(|(kid, (alg, _))| (kid, alg))).finish()
    }
}
