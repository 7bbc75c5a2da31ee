// Sign an iLink 3 login: java Sign.java KEYFILE REQUEST_TIMESTAMP UUID SESSION FIRM [the five values of Establish]
//
// KEYFILE is a downloaded key file in JSON. Four values sign a Negotiate; nine sign an Establish: TradingSystemName,
// TradingSystemVersion, TradingSystemVendor, NextSeqNo and KeepAliveInterval (ms) come after the four.

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Sign {
    static byte[] sign(String secretKey, String[] values) throws Exception {
        byte[] secret = Base64.getUrlDecoder().decode(secretKey); // decode it first
        String text = String.join("\n", values); // one line feed between two values, none at the end
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.US_ASCII));
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 5 && args.length != 10) {
            System.err.println("java Sign.java KEYFILE REQUEST_TIMESTAMP UUID SESSION FIRM [five values of Establish]");
            System.exit(1);
        }
        String file = Files.readString(Path.of(args[0]));
        Matcher key = Pattern.compile("\"secret_key\"\\s*:\\s*\"([A-Za-z0-9_-]+)=?\"").matcher(file);
        if (!key.find()) {
            System.err.println(args[0] + " holds no secret_key");
            System.exit(1);
        }
        for (byte b : sign(key.group(1), Arrays.copyOfRange(args, 1, args.length))) {
            System.out.printf("%02x", b);
        }
        System.out.println();
    }
}
