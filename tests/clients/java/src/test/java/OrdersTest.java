import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.extension.ExtendWith;
import software.amazon.awssdk.services.sqs.SqsClient;

@ExtendWith(Brume.class)
final class OrdersTest {
    @RepeatedTest(2)
    void queuesOfOthersAreNotSeen(SqsClient sqs) {
        String url = sqs.createQueue(r -> r.queueName("orders")).queueUrl();
        assertEquals(List.of(url), sqs.listQueues().queueUrls());
    }
}
