package bench.flink;

import static java.nio.charset.StandardCharsets.UTF_8;

import bench.common.Arguments;
import bench.common.Measurement;
import bench.common.Wire;
import java.time.Duration;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;
import org.apache.flink.util.function.SerializableFunction;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Kafka at both ends of a job. */
final class Topics {
  /** As the grace of the other implementations. */
  private static final Duration DISORDER = Duration.ofSeconds(10);

  private final Arguments arguments;

  Topics(Arguments arguments) {
    this.arguments = arguments;
  }

  /** A topic from its beginning to where it ends now. A record's time is the event's. */
  <T extends SpecificRecordBase> DataStream<T> read(
      StreamExecutionEnvironment environment, String topic, int id, Class<T> type) {
    KafkaSource<T> source =
        KafkaSource.<T>builder()
            .setBootstrapServers(arguments.one("brokers"))
            .setGroupId(arguments.one("id"))
            .setTopics(topic)
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setBounded(OffsetsInitializer.latest())
            .setProperty("max.poll.records", "10000")
            .setDeserializer(new Decoding<>(id, type))
            .build();
    return environment.fromSource(source, WatermarkStrategy.forBoundedOutOfOrderness(DISORDER), topic);
  }

  <T extends SpecificRecordBase> void write(
      DataStream<T> results, int id, Class<T> type, SerializableFunction<T, String> key) {
    results.sinkTo(
        KafkaSink.<T>builder()
            .setBootstrapServers(arguments.one("brokers"))
            .setDeliveryGuarantee(
                arguments.isExactlyOnce() ? DeliveryGuarantee.EXACTLY_ONCE : DeliveryGuarantee.AT_LEAST_ONCE)
            .setTransactionalIdPrefix(arguments.one("id"))
            .setProperty("transaction.timeout.ms", "60000")
            .setProperty("linger.ms", "100")
            .setProperty("batch.size", String.valueOf(256 << 10))
            .setProperty("buffer.memory", String.valueOf(64 << 20))
            .setRecordSerializer(new Encoding<>(arguments.one("output"), id, type, key))
            .build());
  }

  /** One record, filled again and again: whatever keeps a part of it, takes that part. */
  private static final class Decoding<T extends SpecificRecordBase> implements KafkaRecordDeserializationSchema<T> {
    private final int id;
    private final Class<T> type;
    private transient Wire<T> wire;
    private transient T reused;

    Decoding(int id, Class<T> type) {
      this.id = id;
      this.type = type;
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<T> out) {
      Measurement.begin();
      if (wire == null) wire = new Wire<>(id, type);
      reused = wire.decode(record.value(), reused);
      out.collect(reused);
    }

    @Override
    public TypeInformation<T> getProducedType() {
      return TypeInformation.of(type);
    }
  }

  private static final class Encoding<T extends SpecificRecordBase> implements KafkaRecordSerializationSchema<T> {
    private final String topic;
    private final int id;
    private final Class<T> type;
    private final SerializableFunction<T, String> key;
    private transient Wire<T> wire;

    Encoding(String topic, int id, Class<T> type, SerializableFunction<T, String> key) {
      this.topic = topic;
      this.id = id;
      this.type = type;
      this.key = key;
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(T value, KafkaSinkContext context, Long timestamp) {
      if (wire == null) wire = new Wire<>(id, type);
      byte[] keyBytes = key.apply(value).getBytes(UTF_8);
      return new ProducerRecord<>(topic, null, timestamp, keyBytes, wire.encode(value));
    }
  }
}
