package bench.kafkastreams;

import bench.common.Arguments;
import bench.common.Measurement;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes.StringSerde;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** Runs one job from an empty state until its group has committed the end of the input, and prints what that took. */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws Exception {
    Arguments arguments = new Arguments(args);
    Measurement.observe(arguments.one("broker-pid", ""));
    String job = arguments.one("job");
    Properties config = config(arguments);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", arguments.one("brokers")))) {
      Progress progress = new Progress(admin, arguments.one("id"), arguments.all("input"));
      if (job.equals("restore")) progress.commitEnds();
      KafkaStreams streams =
          new KafkaStreams(Jobs.topology(job, arguments.all("input"), arguments.one("output"), config), config);
      streams.setUncaughtExceptionHandler(
          error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
          });
      int n = arguments.number("records");
      if (job.equals("restore")) {
        Restore.measure(streams, n);
      } else {
        streams.start();
        progress.untilCommitted(streams);
        Measurement.end();
      }
      Measurement.print(n);
      streams.close();
      progress.deleteInternalTopics();
    }
  }

  private static Properties config(Arguments arguments) {
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments.one("id"));
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments.one("brokers"));
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments.number("threads"));
    config.put(
        StreamsConfig.PROCESSING_GUARANTEE_CONFIG,
        arguments.isExactlyOnce() ? StreamsConfig.EXACTLY_ONCE_V2 : StreamsConfig.AT_LEAST_ONCE);
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, arguments.number("commit-interval"));
    config.put(StreamsConfig.STATE_DIR_CONFIG, arguments.one("directory"));
    config.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
    config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, StringSerde.class);
    config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, StringSerde.class);
    config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, Long.parseLong(arguments.one("cache-mb", "256")) << 20);
    if (arguments.one("store", "rocksdb").equals("in-memory")) {
      config.put(
          StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
    }
    config.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    config.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
    config.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 << 10);
    config.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 64L << 20);
    return config;
  }
}
