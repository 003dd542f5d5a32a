package bench.common;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a run costs, from the first record decoded, or from where it is told to begin, until the end is seen. */
public final class Measurement {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final double TICKS = 100; // of /proc, a second

  private static String broker = "";
  private static volatile boolean hasBegun;
  private static long began;
  private static long cpuBefore;
  private static double brokerBefore;
  private static double startSeconds;
  private static double seconds;
  private static double cpuSeconds;
  private static double brokerSeconds;

  private Measurement() {}

  /** @param pid of the broker, or empty: then its processor time is not known */
  public static void observe(String pid) {
    broker = pid;
  }

  /** Called with every record: only the first counts. */
  public static void begin() {
    if (!hasBegun) beginOnce();
  }

  private static synchronized void beginOnce() {
    if (hasBegun) return;
    startSeconds = (System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime()) / 1e3;
    cpuBefore = SYSTEM.getProcessCpuTime();
    brokerBefore = brokerCpu();
    began = System.nanoTime();
    hasBegun = true;
  }

  public static synchronized void end() {
    seconds = (System.nanoTime() - began) / 1e9;
    cpuSeconds = (SYSTEM.getProcessCpuTime() - cpuBefore) / 1e9;
    brokerSeconds = brokerCpu() - brokerBefore;
  }

  /** Prints the one line of the run, with the whole life of the process beside the measured span. */
  public static synchronized void print(long n) throws IOException {
    System.out.printf(
        "{\"n\":%d,\"seconds\":%.4f,\"cpu_s\":%.4f,%s\"start_s\":%.3f,\"whole_cpu_s\":%.3f,\"rss_mb\":%d}%n",
        n,
        seconds,
        cpuSeconds,
        broker.isEmpty() ? "" : String.format("\"broker_cpu_s\":%.2f,", brokerSeconds),
        startSeconds,
        SYSTEM.getProcessCpuTime() / 1e9,
        peakResidentMegabytes());
  }

  /** proc(5): fields 14 and 15 of /proc/pid/stat. */
  private static double brokerCpu() {
    if (broker.isEmpty()) return 0;
    try {
      String stat = Files.readString(Path.of("/proc", broker, "stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS;
    } catch (IOException e) {
      throw new IllegalStateException("no process " + broker, e);
    }
  }

  private static long peakResidentMegabytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) * 1024 / 1_000_000;
    }
    return 0;
  }
}
