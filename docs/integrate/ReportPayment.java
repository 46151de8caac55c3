// Reports payments in Java 17 or later, without dependencies, as docs/payments.md describes it.
//
//   STAMPEDE=http://127.0.0.1:7701 TOKEN=stf_... \
//     java ReportPayment.java QUEUE [PAYMENT MINOR CURRENCY HOLD...]
//
// QUEUE is a folder. Each report is written there before it is sent, and taken out when it is answered and what
// follows is done. It is sent until then: a server that is away, or a crash of this program, loses none. Without
// further arguments only what is still in the queue is sent. Prints each answer as one JSON object. One program at a
// time works on a queue.

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

public final class ReportPayment {
    /** The server answers within 10 s, if only that it does not know yet. */
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final long BACKOFF_FIRST_MS = 250;
    private static final long BACKOFF_LONGEST_MS = 15_000;
    /** Nothing is wrong with the report: it is sent again. */
    private static final Set<Integer> AGAIN = Set.of(408, 429, 500, 502, 503, 504);
    /** What names consist of; none of it needs escaping in JSON. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._:-]{1,128}");
    /** A hold whose money is due back, in an answer. Use your JSON library instead. */
    private static final Pattern REFUND_DUE = Pattern.compile(
            "\"outcome\":\"refund_due\"[^{}]*\"amount\":\\{\"minor\":(\\d+),\"currency\":\"([A-Z]{3})\"}");

    private final HttpClient http = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
    private final String server;
    private final String token;
    private final Path queue;

    private ReportPayment(String server, String token, Path queue) throws IOException {
        this.server = server;
        this.token = token;
        this.queue = Files.createDirectories(queue);
    }

    /** The server will never accept this report as it is. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        Refused(String why) {
            super(why);
        }
    }

    /** Sends one report until it is answered; the answer. */
    private String report(String fact) throws InterruptedException, Refused {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server + "/v1/payments"))
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/json")
                // The same report has the same key, in each attempt and after a restart.
                .header("Idempotency-Key", keyOf(fact))
                .POST(HttpRequest.BodyPublishers.ofString(fact))
                .build();
        for (int failures = 0;; failures++) {
            long leastMs = 0;
            String why;
            try {
                HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() == 200) {
                    return answer.body();
                }
                why = answer.statusCode() + " " + answer.body();
                if (!AGAIN.contains(answer.statusCode())) {
                    throw new Refused(why);
                }
                String after = answer.headers().firstValue("Retry-After").orElse("");
                leastMs = after.matches("\\d{1,6}") ? 1_000 * Long.parseLong(after) : 0;
            } catch (IOException problem) {
                // No connection, none in time, or half an answer: nobody knows whether the report arrived.
                why = problem.toString();
            }
            // Never given up. A bound that doubles and a time at random below it: others are waiting too.
            long bound = Math.min(BACKOFF_LONGEST_MS, BACKOFF_FIRST_MS << Math.min(failures, 20));
            long waitMs = leastMs + ThreadLocalRandom.current().nextLong(bound + 1);
            System.err.println("again in " + waitMs + " ms: " + why);
            Thread.sleep(waitMs);
        }
    }

    private static String keyOf(String fact) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(fact.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 16);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java has SHA-256", impossible);
        }
    }

    /** Writes a report into the queue, a file for each. */
    private void add(String fact) throws IOException {
        Path path = queue.resolve(keyOf(fact) + ".json");
        Path draft = queue.resolve(keyOf(fact) + ".new");
        try (FileChannel file = FileChannel.open(draft, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer bytes = StandardCharsets.UTF_8.encode(fact);
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
            file.force(true);
        }
        Files.move(draft, path, StandardCopyOption.ATOMIC_MOVE);
        // The name has to be durable too. Windows knows no such thing.
        if (!System.getProperty("os.name").startsWith("Windows")) {
            try (FileChannel folder = FileChannel.open(queue, StandardOpenOption.READ)) {
                folder.force(true);
            }
        }
    }

    /** The file of a report that is not answered yet; none if all that are left were refused. */
    private Optional<Path> next(Set<Path> refused) throws IOException {
        try (Stream<Path> files = Files.list(queue)) {
            return files.filter(path -> path.toString().endsWith(".json") && !refused.contains(path)).sorted().findFirst();
        }
    }

    /** The call of your provider goes here. The same name makes a repeat harmless there too. */
    private static void giveBack(String payment, long minor, String currency) {
        System.err.println("refund " + minor + " " + currency + " as " + payment + "-refund-" + minor);
    }

    /** What an answer asks for. */
    private void follow(String fact, String answer) throws IOException {
        Matcher due = REFUND_DUE.matcher(answer);
        if (!due.find() || !member(fact, "event").equals("paid")) {
            return;
        }
        String currency = due.group(2);
        // For all holds of the payment together, as `refunded` wants it: nothing went back before.
        long minor = 0;
        do {
            minor += Long.parseLong(due.group(1));
        } while (due.find());
        giveBack(member(fact, "payment"), minor, currency);
        add(fact(member(fact, "payment"), "refunded", minor, currency, List.of()));
    }

    /** Sends what is in the queue; whether every report was accepted. */
    private boolean deliver() throws IOException, InterruptedException {
        Set<Path> refused = new HashSet<>();
        for (;;) {
            Optional<Path> found = next(refused);
            if (found.isEmpty()) {
                return refused.isEmpty();
            }
            String fact = Files.readString(found.get());
            try {
                String answer = report(fact);
                System.out.println(answer);
                follow(fact, answer);
                Files.delete(found.get());
            } catch (Refused problem) {
                // It stays in the queue: the token, the settings or the report has to be mended by a person.
                System.err.println("refused: " + problem.getMessage());
                refused.add(found.get());
            }
        }
    }

    private static String fact(String payment, String event, long minor, String currency, List<String> holds) {
        String named = holds.stream().map(hold -> "\"" + name(hold) + "\"").collect(Collectors.joining(","));
        return "{\"payment\":\"" + name(payment) + "\",\"event\":\"" + event + "\",\"amount\":{\"minor\":" + minor
                + ",\"currency\":\"" + name(currency) + "\"}" + (holds.isEmpty() ? "" : ",\"holds\":[" + named + "]") + "}";
    }

    private static String name(String text) {
        if (!NAME.matcher(text).matches()) {
            throw new IllegalArgumentException("1 to 128 letters, digits or . _ : - are allowed, not: " + text);
        }
        return text;
    }

    /** A text member of one of our own reports; use your JSON library instead. */
    private static String member(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
        if (!found.find()) {
            throw new IllegalArgumentException("the report has no member " + name);
        }
        return found.group(1);
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 1 && args.length < 5) {
            System.err.println("usage: java ReportPayment.java QUEUE [PAYMENT MINOR CURRENCY HOLD...]");
            System.exit(2);
        }
        String server = System.getenv().getOrDefault("STAMPEDE", "").replaceAll("/$", "");
        var reports = new ReportPayment(server, System.getenv().getOrDefault("TOKEN", ""), Path.of(args[0]));
        if (args.length > 1) {
            List<String> holds = Arrays.asList(args).subList(4, args.length);
            reports.add(fact(args[1], "paid", Long.parseLong(args[2]), args[3], holds));
        }
        System.exit(reports.deliver() ? 0 : 1);
    }
}
