package bench.kafkastreams;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaStreams;

/** How far an application has come in its input, and in the repartition topics it has made of it. */
final class Progress {
  private static final int LOOK_EVERY_MS = 5;

  private final Admin admin;
  private final String application;
  private final Map<TopicPartition, Long> ends;

  /** The end of the input is where it is now. */
  Progress(Admin admin, String application, List<String> inputs) throws Exception {
    this.admin = admin;
    this.application = application;
    this.ends = ends(inputs);
  }

  /** Looks into the threads, which asks nothing of the broker. */
  void untilCommitted(KafkaStreams streams) throws Exception {
    until(streams, ends);
    // The input is committed: what has been written to repartition topics is all that will be.
    Set<String> repartition = internalTopics("-repartition");
    if (!repartition.isEmpty()) until(streams, ends(repartition));
  }

  private static void until(KafkaStreams streams, Map<TopicPartition, Long> ends) throws InterruptedException {
    Map<TopicPartition, Long> committed = new HashMap<>();
    while (!ends.entrySet().stream().allMatch(end -> committed.getOrDefault(end.getKey(), -1L) >= end.getValue())) {
      Thread.sleep(LOOK_EVERY_MS);
      streams.metadataForLocalThreads().stream()
          .flatMap(thread -> thread.activeTasks().stream())
          .forEach(task -> committed.putAll(task.committedOffsets()));
    }
  }

  /** As if the application had read its input to the end before: it restores, and has nothing more to read. */
  void commitEnds() throws Exception {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    ends.forEach((partition, end) -> offsets.put(partition, new OffsetAndMetadata(end)));
    admin.alterConsumerGroupOffsets(application, offsets).all().get();
  }

  void deleteInternalTopics() throws Exception {
    Set<String> internal = new HashSet<>(internalTopics("-repartition"));
    internal.addAll(internalTopics("-changelog"));
    admin.deleteTopics(internal).all().get();
  }

  private Set<String> internalTopics(String suffix) throws Exception {
    return admin.listTopics().names().get().stream()
        .filter(name -> name.startsWith(application + "-") && name.endsWith(suffix))
        .collect(Collectors.toSet());
  }

  private Map<TopicPartition, Long> ends(Collection<String> topics) throws Exception {
    Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
    for (TopicDescription topic : admin.describeTopics(topics).allTopicNames().get().values()) {
      topic.partitions().forEach(of -> latest.put(new TopicPartition(topic.name(), of.partition()), OffsetSpec.latest()));
    }
    Map<TopicPartition, Long> found = new HashMap<>();
    admin.listOffsets(latest).all().get().forEach((partition, end) -> found.put(partition, end.offset()));
    return found;
  }
}
