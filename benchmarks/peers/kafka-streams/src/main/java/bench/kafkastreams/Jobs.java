package bench.kafkastreams;

import bench.Attribution;
import bench.Payment;
import bench.Revenue;
import bench.Transaction;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes.StringSerde;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;

/** The jobs, as somebody would write them who has read the manual of Kafka Streams. */
final class Jobs {
  static final String STATE = "state";

  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration GRACE = Duration.ofSeconds(10);
  private static final StringSerde KEY = new StringSerde();

  private Jobs() {}

  static Topology topology(String job, List<String> inputs, String output, Properties config) {
    StreamsBuilder builder = new StreamsBuilder();
    switch (job) {
      case "tumbling" -> tumbling(completed(builder, inputs), output);
      case "repartition" -> repartition(completed(builder, inputs), output);
      case "stateless" -> stateless(completed(builder, inputs), output);
      case "sliding" -> sliding(completed(builder, inputs), output);
      case "join" -> join(builder, inputs, output);
      case "restore" -> restore(builder, inputs);
      default -> throw new IllegalArgumentException("no job " + job);
    }
    return builder.build(config);
  }

  private static KStream<String, Transaction> completed(StreamsBuilder builder, List<String> inputs) {
    return builder.stream(inputs.get(0), Consumed.with(KEY, Serdes.TRANSACTION))
        .filter((user, transaction) -> transaction.getStatus().equals("completed"));
  }

  private static void tumbling(KStream<String, Transaction> transactions, String output) {
    revenue(
        transactions
            .groupByKey(Grouped.with(KEY, Serdes.TRANSACTION))
            .windowedBy(TimeWindows.ofSizeAndGrace(MINUTE, GRACE))
            .aggregate(() -> Total.ZERO, (user, of, total) -> total.add(of.getAmount()), Materialized.with(KEY, Serdes.TOTAL)),
        output);
  }

  /** An hour of grace: the result must not depend on how far the upstream tasks are apart. */
  private static void repartition(KStream<String, Transaction> transactions, String output) {
    revenue(
        transactions
            .groupBy((user, of) -> "product-" + of.getProductId(), Grouped.with(KEY, Serdes.TRANSACTION))
            .windowedBy(TimeWindows.ofSizeAndGrace(MINUTE, Duration.ofHours(1)))
            .aggregate(() -> Total.ZERO, (product, of, total) -> total.add(of.getAmount()), Materialized.with(KEY, Serdes.TOTAL)),
        output);
  }

  private static void sliding(KStream<String, Transaction> transactions, String output) {
    revenue(
        transactions
            .groupByKey(Grouped.with(KEY, Serdes.TRANSACTION))
            .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(MINUTE, GRACE))
            .aggregate(() -> Total.ZERO, (user, of, total) -> total.add(of.getAmount()), Materialized.with(KEY, Serdes.TOTAL)),
        output);
  }

  private static void revenue(KTable<Windowed<String>, Total> totals, String output) {
    totals
        .toStream()
        .map(
            (group, total) ->
                KeyValue.pair(
                    group.key(),
                    new Revenue(
                        group.key(), group.window().start(), group.window().end(), total.count(), total.revenue())))
        .to(output, Produced.with(KEY, Serdes.REVENUE));
  }

  private static void stateless(KStream<String, Transaction> transactions, String output) {
    transactions
        .mapValues(
            of ->
                new Payment(
                    of.getTransactionId(),
                    of.getUserId(),
                    Math.round(of.getAmount() * 100),
                    of.getCategory(),
                    of.getCreatedAt()))
        .to(output, Produced.with(KEY, Serdes.PAYMENT));
  }

  private static void join(StreamsBuilder builder, List<String> inputs, String output) {
    completed(builder, inputs)
        .join(
            builder.stream(inputs.get(1), Consumed.with(KEY, Serdes.CLICK)),
            (of, click) ->
                new Attribution(
                    of.getTransactionId(),
                    click.getClickId(),
                    of.getUserId(),
                    click.getPage(),
                    of.getAmount(),
                    of.getCreatedAt()),
            JoinWindows.ofTimeDifferenceAndGrace(Duration.ofSeconds(30), GRACE),
            StreamJoined.with(KEY, Serdes.TRANSACTION, Serdes.CLICK))
        .to(output, Produced.with(KEY, Serdes.ATTRIBUTION));
  }

  /** With `topology.optimization` the source topic is the changelog. */
  private static void restore(StreamsBuilder builder, List<String> inputs) {
    builder.table(inputs.get(0), Consumed.with(KEY, KEY), Materialized.as(STATE));
  }
}
