package bench.flink;

import bench.common.Arguments;
import bench.common.Measurement;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Runs one job in a local cluster until it has read its bounded input and committed all results, and prints what that took. */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws Exception {
    Arguments arguments = new Arguments(args);
    Measurement.observe(arguments.one("broker-pid", ""));
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(arguments.number("threads"), config(arguments));
    Jobs.add(arguments.one("job"), environment, new Topics(arguments), arguments.all("input"));
    JobClient job = environment.executeAsync(arguments.one("id"));
    JobExecutionResult result = job.getJobExecutionResult().get();
    Measurement.end();
    Measurement.print(arguments.number("records"));
    System.err.println(result.getNetRuntime(TimeUnit.MILLISECONDS) + " ms");
    System.exit(0);
  }

  private static Configuration config(Arguments arguments) {
    Configuration config = new Configuration();
    config.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(arguments.number("commit-interval")));
    config.set(
        CheckpointingOptions.CHECKPOINTING_CONSISTENCY_MODE,
        arguments.isExactlyOnce() ? CheckpointingMode.EXACTLY_ONCE : CheckpointingMode.AT_LEAST_ONCE);
    config.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
    config.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, "file://" + arguments.one("directory"));
    config.set(StateBackendOptions.STATE_BACKEND, "hashmap");
    config.set(PipelineOptions.OBJECT_REUSE, true);
    config.set(RestartStrategyOptions.RESTART_STRATEGY, "none");
    return config;
  }
}
