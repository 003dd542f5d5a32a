package bench.common;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecordBase;

/**
 * Avro behind the five bytes of Confluent's wire format: zero, and the schema id. The ids are constants, and the writer's
 * schema is the reader's, so no registry is asked. One per thread: everything that can be reused is.
 */
public final class Wire<T extends SpecificRecordBase> {
  public static final int TRANSACTION = 1, REVENUE = 2, PAYMENT = 3, CLICK = 4, ATTRIBUTION = 5;

  private static final int HEADER = 5;
  private static final int BUFFER = 256;

  private final int id;
  private final SpecificDatumReader<T> reader;
  private final SpecificDatumWriter<T> writer;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(BUFFER);
  private BinaryDecoder decoder;
  private BinaryEncoder encoder;

  public Wire(int id, Class<T> type) {
    this.id = id;
    // Generated code reads and writes the fields ("custom coders"), in place of a walk over the schema.
    SpecificData model = SpecificData.getForClass(type);
    model.setCustomCoders(true);
    this.reader = new SpecificDatumReader<>(type);
    this.writer = new SpecificDatumWriter<>(type);
  }

  /** @param reuse filled and returned when it is not null */
  public T decode(byte[] data, T reuse) {
    if (data[0] != 0 || data[1] != 0 || data[2] != 0 || data[3] != 0 || data[4] != id) {
      throw new IllegalArgumentException("not a value of schema " + id);
    }
    try {
      decoder = DecoderFactory.get().binaryDecoder(data, HEADER, data.length - HEADER, decoder);
      return reader.read(reuse, decoder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public byte[] encode(T value) {
    try {
      bytes.reset();
      bytes.write(0);
      bytes.write(0);
      bytes.write(0);
      bytes.write(0);
      bytes.write(id);
      encoder = EncoderFactory.get().directBinaryEncoder(bytes, encoder);
      writer.write(value, encoder);
      encoder.flush();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
