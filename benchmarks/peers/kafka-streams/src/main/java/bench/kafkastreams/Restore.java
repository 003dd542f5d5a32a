package bench.kafkastreams;

import bench.common.Measurement;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.QueryableStoreTypes;

/** From the start of the application until it runs, the joining of the group included. */
final class Restore {
  private Restore() {}

  static void measure(KafkaStreams streams, int expected) throws InterruptedException {
    CountDownLatch running = new CountDownLatch(1);
    streams.setStateListener(
        (state, before) -> {
          if (state == KafkaStreams.State.RUNNING) running.countDown();
        });
    Measurement.begin();
    streams.start();
    running.await();
    Measurement.end();
    int entries = 0;
    try (KeyValueIterator<String, String> all =
        streams
            .store(StoreQueryParameters.fromNameAndType(Jobs.STATE, QueryableStoreTypes.<String, String>keyValueStore()))
            .all()) {
      for (; all.hasNext(); all.next()) entries++;
    }
    if (entries != expected) throw new IllegalStateException("restored " + entries + " entries of " + expected);
  }
}
