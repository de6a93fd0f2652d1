/** Takes a server-sent event stream piece by piece and gives the data of every message that is complete. */
export function createEventStreamReader(): { push(text: string): string[] } {
  let rest = "";
  let data: string[] = [];
  return {
    push(text) {
      const messages: string[] = [];
      const lines = (rest + text).split(/\r\n|\n/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) messages.push(data.join("\n"));
          data = [];
        } else if (line.startsWith("data:")) {
          data.push(line.slice(line[5] === " " ? 6 : 5));
        }
      }
      return messages;
    },
  };
}
