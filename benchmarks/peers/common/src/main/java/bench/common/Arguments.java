package bench.common;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** {@code --name value}; some may be repeated. */
public final class Arguments {
  private final Map<String, List<String>> values = new HashMap<>();

  public Arguments(String[] args) {
    for (int i = 0; i + 1 < args.length; i += 2) {
      values.computeIfAbsent(args[i].substring(2), name -> new ArrayList<>()).add(args[i + 1]);
    }
  }

  public List<String> all(String name) {
    List<String> found = values.get(name);
    if (found == null) throw new IllegalArgumentException("--" + name + " is missing");
    return found;
  }

  public String one(String name) {
    return all(name).get(0);
  }

  public String one(String name, String otherwise) {
    return values.containsKey(name) ? one(name) : otherwise;
  }

  public int number(String name) {
    return Integer.parseInt(one(name));
  }

  public boolean isExactlyOnce() {
    return one("guarantee").equals("exactly-once");
  }
}
