/// That a peer keeps pages from us, and that it has let go of them.
public enum QuarantineEvent: Hashable, Sendable {
    /// A share could not be revoked, as a rule because the peer still maps a page of it (XSA-396): told once
    /// for each share. It is in quarantine, or its owner still holds it (`isQuarantined`).
    case peerStillMaps(GrantAccounts.Share)
    /// Such a share is revoked now, or has gone with its handle.
    case letGo(GrantAccounts.Share)
}
