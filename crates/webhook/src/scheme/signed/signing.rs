//! What a sender of samples signs with: the same secret, or the private half of a public key.

use super::{
    super::SecretError,
    content::Piece,
    key::{Algorithm, Key, KeyForm, joined},
};
use headgate_event::Secret;
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};

/// The signature of what is signed. Under an algorithm with public keys `secret` is the private
/// one: the seed of Ed25519, PKCS#8 of ECDSA and RSA, each encoded as the public one is.
pub(super) fn signature(
    algorithm: Algorithm,
    form: &KeyForm,
    secret: &Secret,
    pieces: &[Piece<'_>],
) -> Result<Vec<u8>, SecretError> {
    if !algorithm.is_public() {
        return Ok(Key::of(algorithm, form, secret)?.digest(pieces));
    }
    let private = form.private();
    let key = private.decode(secret)?;
    let unfit = || private.wrong("another key".to_owned());
    let message = joined(pieces);
    if algorithm == Algorithm::Ed25519 {
        // Some senders keep the public key behind the seed.
        let seed = key.expose().get(..32).ok_or_else(unfit)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| unfit())?;
        return Ok(pair.sign(&message).as_ref().to_vec());
    }
    let random = SystemRandom::new();
    if algorithm == Algorithm::Rsa {
        let pair = RsaKeyPair::from_pkcs8(key.expose()).map_err(|_| unfit())?;
        let mut signed = vec![0; pair.public().modulus_len()];
        let made = pair.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signed);
        return made.map(|()| signed).map_err(|_| unfit());
    }
    let curve = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let pair = EcdsaKeyPair::from_pkcs8(curve, key.expose(), &random).map_err(|_| unfit())?;
    let signed = pair.sign(&random, &message).map_err(|_| unfit())?;
    Ok(signed.as_ref().to_vec())
}
