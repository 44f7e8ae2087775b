import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.net.URI;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sqs.SqsClient;

/** One server for all tests of the process; each client has an account of its own. */
public final class Brume implements ParameterResolver {
    private static final URI URL = start();

    private static URI start() {
        try {
            Path data = Files.createTempDirectory("brume-");
            Process server = new ProcessBuilder("brume", "start", "--listen", "127.0.0.1:0", "--data", data.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
            Runtime.getRuntime().addShutdownHook(new Thread(server::destroy)); // SIGTERM
            BufferedReader output = server.inputReader();
            String line = String.valueOf(output.readLine());
            var ready = Pattern.compile("listening on (\\S+),").matcher(line);
            if (!ready.find())
                throw new IllegalStateException("brume did not start: " + line);
            return URI.create(ready.group(1));
        } catch (java.io.IOException error) {
            throw new java.io.UncheckedIOException(error);
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == SqsClient.class;
    }

    @Override
    public SqsClient resolveParameter(ParameterContext parameter, ExtensionContext context) {
        String account = "%012d".formatted(new Random().nextLong(1_000_000_000_000L));
        return SqsClient.builder().endpointOverride(URL).region(Region.US_EAST_1)
            .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create(account, "any"))).build();
    }
}
