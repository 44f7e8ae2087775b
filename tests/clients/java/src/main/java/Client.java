// One round through the AWS SDK for Java 2 (JSON protocol): BRUME_URL names the server.
import java.net.URI;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.QueueDoesNotExistException;

public final class Client {
    private static void check(boolean holds, String what) {
        if (!holds)
            throw new AssertionError(what);
    }

    public static void main(String[] arguments) {
        URI url = URI.create(System.getenv("BRUME_URL"));
        try (SqsClient sqs = SqsClient.builder().endpointOverride(url).httpClient(UrlConnectionHttpClient.create()).build()) {
            String queue = sqs.createQueue(r -> r.queueName("java")).queueUrl();
            // The SDK checks the digests itself.
            String body = "hello from Java, ünïcödé \uD83C\uDF2B";
            String id = sqs.sendMessage(r -> r.queueUrl(queue).messageBody(body)).messageId();
            var messages = sqs.receiveMessage(r -> r.queueUrl(queue).waitTimeSeconds(1)).messages();
            check(messages.size() == 1, "received " + messages);
            Message message = messages.get(0);
            check(message.body().equals(body) && message.messageId().equals(id), "received " + message);
            sqs.deleteMessage(r -> r.queueUrl(queue).receiptHandle(message.receiptHandle()));
            try {
                sqs.getQueueUrl(r -> r.queueName("nowhere"));
                check(false, "a queue that is not there was found");
            } catch (QueueDoesNotExistException expected) {
                System.out.println("aws-sdk-java " + VersionInfo.SDK_VERSION);
            }
        }
    }
}
