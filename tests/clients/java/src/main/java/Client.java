// What an application does with SQS, through the AWS SDK for Java 2 (JSON protocol). AWS_ENDPOINT_URL names the server, and
// the SDK reads it itself; it also checks the digest of each message that it sends or receives.
import static java.util.stream.Collectors.toSet;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.ChangeMessageVisibilityBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.DeleteMessageBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.MessageAttributeValue;
import software.amazon.awssdk.services.sqs.model.MessageSystemAttributeName;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import software.amazon.awssdk.services.sqs.model.QueueDoesNotExistException;
import software.amazon.awssdk.services.sqs.model.QueueNameExistsException;
import software.amazon.awssdk.services.sqs.model.ReceiptHandleIsInvalidException;
import software.amazon.awssdk.services.sqs.model.SendMessageBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.SqsException;

public final class Client {
    private final SqsClient sqs;
    private final String queue;

    private Client(SqsClient sqs) {
        this.sqs = sqs;
        queue = sqs.createQueue(r -> r.queueName("java").attributes(Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "60"))).queueUrl();
    }

    private static void check(boolean holds, Object what) {
        if (!holds)
            throw new AssertionError(what);
    }

    private static <E extends Exception> E refused(Class<E> type, Runnable call) {
        try {
            call.run();
        } catch (Exception error) {
            check(type.isInstance(error), error);
            return type.cast(error);
        }
        throw new AssertionError("not refused: " + type);
    }

    private String take(int seconds) {
        List<Message> messages = sqs.receiveMessage(r -> r.queueUrl(queue).waitTimeSeconds(seconds)).messages();
        check(messages.size() == 1, messages);
        sqs.deleteMessage(r -> r.queueUrl(queue).receiptHandle(messages.get(0).receiptHandle()));
        return messages.get(0).body();
    }

    private void batches() {
        List<SendMessageBatchRequestEntry> entries = new ArrayList<>();
        entries.add(SendMessageBatchRequestEntry.builder().id("late").messageBody("x").delaySeconds(901).build());
        for (int i = 0; i < 9; i++) {
            Map<String, MessageAttributeValue> attributes = Map.of(
                "i", MessageAttributeValue.builder().dataType("Number").stringValue("" + i).build(),
                "raw", MessageAttributeValue.builder().dataType("Binary")
                    .binaryValue(SdkBytes.fromByteArray(new byte[] {(byte) i, -1})).build());
            entries.add(SendMessageBatchRequestEntry.builder().id("m" + i).messageBody("ünïcödé \uD83C\uDF2B " + i)
                .messageAttributes(attributes).build());
        }
        var sent = sqs.sendMessageBatch(r -> r.queueUrl(queue).entries(entries));
        check(sent.successful().size() == 9, sent);
        check(sent.failed().size() == 1 && sent.failed().get(0).code().equals("InvalidParameterValue"), sent);

        List<Message> messages = sqs.receiveMessage(r -> r.queueUrl(queue).maxNumberOfMessages(10).waitTimeSeconds(1)
            .messageAttributeNames("All").messageSystemAttributeNames(MessageSystemAttributeName.ALL)).messages();
        check(messages.stream().map(Message::body).collect(toSet()).equals(
            IntStream.range(0, 9).mapToObj(i -> "ünïcödé \uD83C\uDF2B " + i).collect(toSet())), messages);
        for (Message message : messages) {
            byte i = Byte.parseByte(message.messageAttributes().get("i").stringValue());
            byte[] raw = message.messageAttributes().get("raw").binaryValue().asByteArray();
            check(raw.length == 2 && raw[0] == i && raw[1] == -1, message);
            check(message.attributes().get(MessageSystemAttributeName.APPROXIMATE_RECEIVE_COUNT).equals("1"), message);
        }
        var hidden = sqs.changeMessageVisibilityBatch(r -> r.queueUrl(queue).entries(messages.stream().map(
            m -> ChangeMessageVisibilityBatchRequestEntry.builder().id(m.messageId()).receiptHandle(m.receiptHandle())
                .visibilityTimeout(120).build()).toList()));
        check(hidden.successful().size() == 9, hidden);
        var deleted = sqs.deleteMessageBatch(r -> r.queueUrl(queue).entries(messages.stream().map(
            m -> DeleteMessageBatchRequestEntry.builder().id(m.messageId()).receiptHandle(m.receiptHandle()).build()).toList()));
        check(deleted.successful().size() == 9, deleted);
    }

    private void aLongPoll() {
        var sent = CompletableFuture.runAsync(() -> sqs.sendMessage(r -> r.queueUrl(queue).messageBody("woken")),
            CompletableFuture.delayedExecutor(500, TimeUnit.MILLISECONDS));
        check(take(20).equals("woken"), "another message");
        sent.join();
    }

    private void aMebibyte() {
        String body = "m".repeat(1048576);
        sqs.sendMessage(r -> r.queueUrl(queue).messageBody(body));
        check(take(0).equals(body), "another message");
        var error = refused(SqsException.class, () -> sqs.sendMessage(r -> r.queueUrl(queue).messageBody(body + "m")));
        check(error.awsErrorDetails().errorCode().equals("InvalidParameterValue"), error);
    }

    private void attributes() {
        sqs.setQueueAttributes(r -> r.queueUrl(queue).attributes(Map.of(QueueAttributeName.DELAY_SECONDS, "3")));
        var found = sqs.getQueueAttributes(r -> r.queueUrl(queue).attributeNames(QueueAttributeName.ALL)).attributes();
        check(found.get(QueueAttributeName.DELAY_SECONDS).equals("3"), found);
        check(found.get(QueueAttributeName.VISIBILITY_TIMEOUT).equals("60"), found);
        check(found.get(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES).equals("0"), found);
        var listed = sqs.listQueuesPaginator(r -> r.queueNamePrefix("java").maxResults(1)).queueUrls().stream().toList();
        check(listed.equals(List.of(queue)), listed);
    }

    private void errors() {
        refused(QueueDoesNotExistException.class, () -> sqs.getQueueUrl(r -> r.queueName("nowhere")));
        refused(QueueNameExistsException.class, () -> sqs.createQueue(
            r -> r.queueName("java").attributes(Map.of(QueueAttributeName.DELAY_SECONDS, "4"))));
        refused(ReceiptHandleIsInvalidException.class, () -> sqs.deleteMessage(r -> r.queueUrl(queue).receiptHandle("garbage")));
    }

    private void perClient() {
        String brume = System.getenv("BRUME_URL");
        try (SqsClient named = SqsClient.builder().endpointOverride(URI.create(brume)).build()) {
            check(named.getQueueUrl(r -> r.queueName("java")).queueUrl().equals(queue), "another queue");
        }
    }

    public static void main(String[] arguments) {
        try (SqsClient sqs = SqsClient.create()) {
            Client client = new Client(sqs);
            client.batches();
            client.aLongPoll();
            client.aMebibyte();
            client.attributes();
            client.errors();
            client.perClient();
        }
        System.out.println("aws-sdk-java " + VersionInfo.SDK_VERSION);
    }
}
