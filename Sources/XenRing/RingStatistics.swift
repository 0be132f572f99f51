/// What one end of a ring has done since it was made.
///
/// Kept so that a message costs nothing: what was taken follows from the indices, and the rest is
/// counted a publish or a final check at a time.
public struct RingStatistics: Hashable, Sendable {
    /// The requests that a front has published, or that a back has taken.
    public var requestCount: UInt64
    /// The responses that a front has taken, or that a back has published.
    public var responseCount: UInt64
    /// The times that this end has published messages, one or many at a time.
    public var publishCount: UInt64
    /// The times among them after which the peer had to be notified.
    public var notificationCount: UInt64
    /// The final checks: the times that this end found nothing, asked to be notified, and looked
    /// once more.
    public var finalCheckCount: UInt64
    /// The most requests that were in flight at once: of a front, published and not answered; of a back,
    /// taken without a published response. Responses that stand in the page, not taken yet, count as answers
    /// for a back and not for a front.
    public var highWaterMark: Int

    /// The publishes that cost no notification.
    public var sparedNotificationCount: UInt64 { publishCount &- notificationCount }

    init(
        requests: UInt64, responses: UInt64, from producer: RingProducer, to consumer: RingConsumer,
        most: UInt32
    ) {
        requestCount = requests
        responseCount = responses
        publishCount = producer.publishCount
        notificationCount = producer.notificationCount
        finalCheckCount = consumer.finalCheckCount
        highWaterMark = Int(most)
    }
}

extension FrontRing {
    /// What this end has done since it was made.
    public var statistics: RingStatistics {
        let published = requests.messageCount
        return RingStatistics(
            requests: published, responses: published &- UInt64(inFlight), from: requests,
            to: responses, most: mostInFlight)
    }
}

extension BackRing {
    /// What this end has done since it was made. A back that took a ring over counts from there on.
    public var statistics: RingStatistics {
        let published = responses.messageCount
        return RingStatistics(
            requests: published &+ UInt64(inFlight), responses: published, from: responses,
            to: requests, most: max(mostInFlight, inFlight))
    }
}
