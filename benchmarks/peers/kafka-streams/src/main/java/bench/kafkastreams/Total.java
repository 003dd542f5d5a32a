package bench.kafkastreams;

record Total(int count, double revenue) {
  static final Total ZERO = new Total(0, 0);

  Total add(double amount) {
    return new Total(count + 1, revenue + amount);
  }
}
