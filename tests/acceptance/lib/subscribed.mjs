// Joining a channel, for tests that need it joined.

/** Subscribes; done with the channel once it has joined, or with why it has not. */
export function subscribed(channel) {
  return new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === "SUBSCRIBED") resolve(channel);
      else if (status !== "CLOSED") reject(error ?? new Error(status));
    });
  });
}
