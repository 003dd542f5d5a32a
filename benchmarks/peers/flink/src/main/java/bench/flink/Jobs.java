package bench.flink;

import bench.Attribution;
import bench.Click;
import bench.Payment;
import bench.Revenue;
import bench.Transaction;
import bench.common.Wire;
import java.time.Duration;
import java.util.List;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.co.ProcessJoinFunction;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;
import org.apache.flink.util.function.SerializableFunction;

/** The jobs. What goes through a shuffle or into state is cut down to what is used, as tuples: Flink's cheapest types. */
final class Jobs {
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration HALF_A_MINUTE = Duration.ofSeconds(30);

  private Jobs() {}

  static void add(String job, StreamExecutionEnvironment environment, Topics topics, List<String> inputs) {
    DataStream<Transaction> completed =
        topics
            .read(environment, inputs.get(0), Wire.TRANSACTION, Transaction.class)
            .filter(of -> of.getStatus().equals("completed"));
    switch (job) {
      case "tumbling" -> revenue(completed, Transaction::getUserId, topics);
      case "repartition" -> revenue(completed, of -> "product-" + of.getProductId(), topics);
      case "stateless" -> stateless(completed, topics);
      case "join" -> join(completed, topics.read(environment, inputs.get(1), Wire.CLICK, Click.class), topics);
      default -> throw new IllegalArgumentException("no job " + job);
    }
  }

  private static void revenue(
      DataStream<Transaction> transactions, SerializableFunction<Transaction, String> group, Topics topics) {
    DataStream<Revenue> results =
        transactions
            .map(of -> Tuple2.of(group.apply(of), of.getAmount()))
            .returns(Types.TUPLE(Types.STRING, Types.DOUBLE))
            .keyBy(of -> of.f0, Types.STRING)
            .window(TumblingEventTimeWindows.of(MINUTE))
            .aggregate(
                new Total(),
                new OfWindow(),
                Types.TUPLE(Types.INT, Types.DOUBLE),
                Types.TUPLE(Types.INT, Types.DOUBLE),
                TypeInformation.of(Revenue.class));
    topics.write(results, Wire.REVENUE, Revenue.class, Revenue::getUserId);
  }

  private static void stateless(DataStream<Transaction> transactions, Topics topics) {
    DataStream<Payment> payments =
        transactions.map(
            of ->
                new Payment(
                    of.getTransactionId(),
                    of.getUserId(),
                    Math.round(of.getAmount() * 100),
                    of.getCategory(),
                    of.getCreatedAt()));
    topics.write(payments, Wire.PAYMENT, Payment.class, Payment::getUserId);
  }

  private static void join(DataStream<Transaction> transactions, DataStream<Click> clicks, Topics topics) {
    KeyedStream<Tuple4<String, String, Double, Long>, String> payments =
        transactions
            .map(of -> Tuple4.of(of.getUserId(), of.getTransactionId(), of.getAmount(), of.getCreatedAt()))
            .returns(Types.TUPLE(Types.STRING, Types.STRING, Types.DOUBLE, Types.LONG))
            .keyBy(of -> of.f0, Types.STRING);
    KeyedStream<Tuple3<String, String, String>, String> visits =
        clicks
            .map(of -> Tuple3.of(of.getUserId(), of.getClickId(), of.getPage()))
            .returns(Types.TUPLE(Types.STRING, Types.STRING, Types.STRING))
            .keyBy(of -> of.f0, Types.STRING);
    DataStream<Attribution> attributions =
        payments.intervalJoin(visits).between(HALF_A_MINUTE.negated(), HALF_A_MINUTE).process(new Attribute());
    topics.write(attributions, Wire.ATTRIBUTION, Attribution.class, Attribution::getUserId);
  }

  private static final class Total
      implements AggregateFunction<Tuple2<String, Double>, Tuple2<Integer, Double>, Tuple2<Integer, Double>> {
    @Override
    public Tuple2<Integer, Double> createAccumulator() {
      return Tuple2.of(0, 0.0);
    }

    @Override
    public Tuple2<Integer, Double> add(Tuple2<String, Double> of, Tuple2<Integer, Double> total) {
      total.f0++;
      total.f1 += of.f1;
      return total;
    }

    @Override
    public Tuple2<Integer, Double> getResult(Tuple2<Integer, Double> total) {
      return total;
    }

    @Override
    public Tuple2<Integer, Double> merge(Tuple2<Integer, Double> a, Tuple2<Integer, Double> b) {
      return Tuple2.of(a.f0 + b.f0, a.f1 + b.f1);
    }
  }

  private static final class OfWindow
      extends ProcessWindowFunction<Tuple2<Integer, Double>, Revenue, String, TimeWindow> {
    @Override
    public void process(
        String group, Context context, Iterable<Tuple2<Integer, Double>> totals, Collector<Revenue> out) {
      Tuple2<Integer, Double> total = totals.iterator().next();
      TimeWindow window = context.window();
      out.collect(new Revenue(group, window.getStart(), window.getEnd(), total.f0, total.f1));
    }
  }

  private static final class Attribute
      extends ProcessJoinFunction<
          Tuple4<String, String, Double, Long>, Tuple3<String, String, String>, Attribution> {
    @Override
    public void processElement(
        Tuple4<String, String, Double, Long> payment,
        Tuple3<String, String, String> click,
        Context context,
        Collector<Attribution> out) {
      out.collect(new Attribution(payment.f1, click.f1, payment.f0, click.f2, payment.f2, payment.f3));
    }
  }
}
