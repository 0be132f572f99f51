import XenEvtchn

/// With which code a call is refused; nil when it is done.
func refusal(_ body: () throws(EventChannelError) -> Void) -> EventChannelError.Code? {
    do {
        try body()
        return nil
    } catch {
        return error.code
    }
}

/// With which codes all that a channel can do but close is refused.
func refusals(callingOn channel: borrowing EventChannel) -> Set<EventChannelError.Code?> {
    [
        refusal { () throws(EventChannelError) in try channel.notify() },
        refusal { () throws(EventChannelError) in try channel.mask() },
        refusal { () throws(EventChannelError) in try channel.unmask() },
    ]
}

func refusal(closing channel: consuming EventChannel) -> EventChannelError.Code? {
    do {
        try channel.close()
        return nil
    } catch {
        return error.code
    }
}

func refusal(unmasking event: consuming PendingEvent) -> EventChannelError.Code? {
    do {
        try event.unmask()
        return nil
    } catch {
        return error.code
    }
}

/// An event was expected, and none came.
struct Silence: Error {}
