package bench.kafkastreams;

import bench.Attribution;
import bench.Click;
import bench.Payment;
import bench.Revenue;
import bench.Transaction;
import bench.common.Measurement;
import bench.common.Wire;
import java.nio.ByteBuffer;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.common.serialization.Serde;

/** Kafka Streams shares a serde among its threads: what is reused belongs to a thread. */
final class Serdes {
  static final Serde<Transaction> TRANSACTION = avro(Wire.TRANSACTION, Transaction.class);
  static final Serde<Click> CLICK = avro(Wire.CLICK, Click.class);
  static final Serde<Revenue> REVENUE = avro(Wire.REVENUE, Revenue.class);
  static final Serde<Payment> PAYMENT = avro(Wire.PAYMENT, Payment.class);
  static final Serde<Attribution> ATTRIBUTION = avro(Wire.ATTRIBUTION, Attribution.class);

  static final Serde<Total> TOTAL =
      org.apache.kafka.common.serialization.Serdes.serdeFrom(
          (topic, total) ->
              total == null
                  ? null
                  : ByteBuffer.allocate(12).putInt(total.count()).putDouble(total.revenue()).array(),
          (topic, bytes) -> {
            if (bytes == null) return null;
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            return new Total(buffer.getInt(), buffer.getDouble());
          });

  private Serdes() {}

  private static <T extends SpecificRecordBase> Serde<T> avro(int id, Class<T> type) {
    ThreadLocal<Wire<T>> wires = ThreadLocal.withInitial(() -> new Wire<>(id, type));
    return org.apache.kafka.common.serialization.Serdes.serdeFrom(
        (topic, value) -> value == null ? null : wires.get().encode(value),
        (topic, bytes) -> {
          Measurement.begin();
          // A new record each time: a task holds the next record of every partition, decoded.
          return bytes == null ? null : wires.get().decode(bytes, null);
        });
  }
}
