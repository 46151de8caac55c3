// Mints a viewer's ticket in Java 17 or later, without dependencies.
//
//   java MintTicket.java PLATFORM_KEY_FILE STREAM VIEWER [CHANNEL]

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.EdECPrivateKeySpec;
import java.security.spec.NamedParameterSpec;
import java.time.Instant;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public final class MintTicket {
    private static final long LIFETIME_S = 600;
    private static final Base64.Encoder TO_TEXT = Base64.getUrlEncoder().withoutPadding();
    private static final Base64.Decoder FROM_TEXT = Base64.getUrlDecoder();
    /** What ids consist of; none of it needs escaping in JSON. */
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9._:-]{1,64}");

    private MintTicket() {}

    /** The ticket; {@code jwk} is a JSON Web Key with its private half, {@code channel} may be null. */
    static String mint(String jwk, String stream, String viewer, String channel)
            throws GeneralSecurityException {
        long now = Instant.now().getEpochSecond();
        String claims = "{\"aud\":\"stampede\",\"sub\":\"" + id(viewer) + "\",\"stream\":\"" + id(stream)
                + "\",\"mode\":\"live\",\"iat\":" + now + ",\"exp\":" + (now + LIFETIME_S)
                + (channel == null ? "" : ",\"channel\":\"" + id(channel) + "\"") + "}";
        String algorithm = member(jwk, "alg");
        String header = "{\"alg\":\"" + algorithm + "\",\"typ\":\"JWT\",\"kid\":\"" + id(member(jwk, "kid")) + "\"}";
        String signed = text(header) + "." + text(claims);
        return signed + "." + TO_TEXT.encodeToString(sign(jwk, algorithm, signed.getBytes(StandardCharsets.US_ASCII)));
    }

    private static byte[] sign(String jwk, String algorithm, byte[] signed) throws GeneralSecurityException {
        switch (algorithm) {
            case "HS256": {
                Mac mac = Mac.getInstance("HmacSHA256");
                mac.init(new SecretKeySpec(FROM_TEXT.decode(member(jwk, "k")), "HmacSHA256"));
                return mac.doFinal(signed);
            }
            case "EdDSA": {
                byte[] seed = FROM_TEXT.decode(member(jwk, "d"));
                Signature signature = Signature.getInstance("Ed25519");
                signature.initSign(KeyFactory.getInstance("Ed25519")
                        .generatePrivate(new EdECPrivateKeySpec(NamedParameterSpec.ED25519, seed)));
                signature.update(signed);
                return signature.sign();
            }
            default:
                throw new IllegalArgumentException("this sample signs with HS256 or EdDSA, not with " + algorithm);
        }
    }

    private static String text(String json) {
        return TO_TEXT.encodeToString(json.getBytes(StandardCharsets.UTF_8));
    }

    private static String id(String text) {
        if (!ID.matcher(text).matches()) {
            throw new IllegalArgumentException("1 to 64 letters, digits or . _ : - are allowed, not: " + text);
        }
        return text;
    }

    /** A text member of a flat JSON object; use your JSON library instead. */
    private static String member(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]*)\"").matcher(json);
        if (!found.find()) {
            throw new IllegalArgumentException("the key has no member " + name);
        }
        return found.group(1);
    }

    public static void main(String[] args) throws Exception {
        if (args.length < 3 || args.length > 4) {
            System.err.println("usage: java MintTicket.java PLATFORM_KEY_FILE STREAM VIEWER [CHANNEL]");
            System.exit(2);
        }
        String jwk = Files.readString(Path.of(args[0]));
        System.out.println(mint(jwk, args[1], args[2], args.length == 4 ? args[3] : null));
    }
}
