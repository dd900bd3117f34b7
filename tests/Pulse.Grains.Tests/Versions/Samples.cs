using Pulse.Accounts;
using Pulse.Conversations;
using Pulse.Grains.Identity;
using Pulse.Identity;
using Pulse.Presence;
using Pulse.Users;

namespace Pulse.Grains.Tests.Versions;

/// <summary>The contents of the stored payloads, by file name: a type's alias and, from its second one on, a number.</summary>
/// <remarks>
/// Once released, an entry and its file stay as they are. A type with a new member gets another entry with that member, and the earlier one
/// tests how a reader handles its absence.
/// </remarks>
internal static class Samples
{
    private static readonly Guid s_id = new("01a203bc-2925-7049-9285-cf93ae1b00ea");
    private static readonly Guid s_otherId = new("01a203bc-2925-7049-9285-cf93ae1b00eb");
    private static readonly DateTimeOffset s_at = new(2026, 11, 24, 9, 30, 15, 123, TimeSpan.Zero);

    private static readonly UserProfile s_ada = new()
    {
        Id = s_id, Email = "ada@example.com", Name = "Ada Ω", Avatar = "https://example.com/ada.png", CreatedAt = s_at, LastSeenAt = s_at.AddDays(1), EmailVerified = true,
    };

    private static readonly ConversationEntry s_entry = new()
    {
        Seq = 7, Kind = EntryKinds.Message, SenderId = s_id, SentAt = s_at, ClientId = s_otherId, Target = 1, ReplyTo = 2, Body = "Hello", Mentions = [s_otherId],
        EditedSeq = 8, DeletedSeq = 9, Reactions = [new("👍", 2, Mine: true)],
    };

    private static readonly ConversationUser s_user = new(s_otherId, "Bob", "https://example.com/bob.png");

    private static readonly ConversationSummary s_summary = new()
    {
        Id = s_id, Kind = ConversationKinds.Direct, Title = "Team", Head = 9, LastAt = s_at, Last = s_entry, Other = s_user, Role = MemberRoles.Member, From = 2, Read = 5,
        Unread = new(3, More: true, 1), Muted = true, NewcomersSee = NewcomersSee.All, ClosedAt = s_at, OrderAt = s_at,
    };

    private static readonly ConversationMembership s_membership = new()
    {
        Error = ConversationError.NotAMember, Role = MemberRoles.Member, From = 2, Read = 5, Head = 9, Muted = true, Markers = [new(s_id, 7)], Typing = [s_otherId],
    };

    private static readonly ConversationRun s_run = new()
    {
        ConversationId = s_id, Entries = [s_entry], Head = 9, TooFar = true, Markers = [new(s_id, 7)], Typing = [s_otherId], Error = ConversationError.NotFound,
    };

    public static IReadOnlyDictionary<string, object> All { get; } = new Dictionary<string, object>
    {
        ["pulse.ConnectionLease"] = new ConnectionLease
        {
            ConnectionId = "connection", FrontEndId = "front end", SeenAt = s_at, SessionId = s_otherId, Status = PresenceStatus.Busy, Message = "In a meeting",
            StatusSetAt = s_at.AddSeconds(-1), ConnectedAt = s_at.AddHours(-1), ActiveAt = s_at.AddMinutes(-1),
        },
        ["pulse.ConnectionLease.2"] = new ConnectionLease { ConnectionId = "connection", FrontEndId = "front end", SeenAt = s_at, PreviousConnectionId = "former" },
        ["pulse.ConnectionLease.3"] = new ConnectionLease { ConnectionId = "connection", FrontEndId = "front end", SeenAt = s_at, TokenIssuedAt = s_at.AddHours(-2) },
        ["pulse.AccountNotice"] = new AccountNotice { Kind = AccountNoticeKind.NewDevice, Detail = "Firefox on Linux", At = s_at },
        ["pulse.ChannelCursor"] = new ChannelCursor("Team", s_id),
        ["pulse.ChannelInfo"] = new ChannelInfo(s_id, "Team", 3, s_at),
        ["pulse.ChannelInfo.2"] = new ChannelInfo(s_id, "Team", 3, s_at) { CreatorId = s_otherId },
        ["pulse.ChannelPage"] = new ChannelPage([new(s_id, "Team", 3, s_at)], HasMore: true),
        ["pulse.ChannelSearch"] = new ChannelSearch { Title = "Te", After = new("Team", s_id), Limit = 7 },
        ["pulse.MessageSearch"] = new MessageSearch { Text = "hello", ConversationId = s_id, Before = new(s_at, s_otherId, 7), Limit = 10 },
        ["pulse.SearchCursor"] = new SearchCursor(s_at, s_id, 7),
        ["pulse.SearchHit"] = new SearchHit(s_id, 7, s_otherId, s_at, "Hello"),
        ["pulse.SearchPage"] = new SearchPage(ConversationError.NotAMember, [new(s_id, 7, s_otherId, s_at, "Hello")], HasMore: true),
        ["pulse.SearchPage.2"] = new SearchPage(ConversationError.NotAMember, [new(s_id, 7, s_otherId, s_at, "Hello")], HasMore: true) { Next = new(s_at, s_id, 7) },
        ["pulse.ConversationAnswer"] = new ConversationAnswer
        {
            Error = ConversationError.TooManyMessages, Seq = 7, SentAt = s_at, IsRepeat = true, Detail = "Wait.", RetryAfter = 2,
        },
        ["pulse.ConversationCommand"] = new ConversationCommand
        {
            Kind = EntryKinds.Message, SenderId = s_id, ClientId = s_otherId, Text = "Hello", Target = 1, ReplyTo = 2, Mentions = [s_otherId], After = s_id, Read = 3,
            Edited = 4, On = true, UserId = s_otherId, Role = MemberRoles.Reader,
        },
        ["pulse.ConversationCommand.2"] = new ConversationCommand { Kind = EntryKinds.MemberAdded, SenderId = s_id, UserId = s_otherId, OnlyPresent = true },
        ["pulse.ConversationCreated"] = new ConversationCreated(ConversationError.ClientIdReused, IsNew: true, "Choose another."),
        ["pulse.ConversationEntry"] = s_entry,
        ["pulse.ConversationLookup"] = new ConversationLookup(ConversationError.NotAMember, s_summary),
        ["pulse.ConversationLookup.2"] = new ConversationLookup(ConversationError.NotAMember, null) { ChannelCreatorId = s_otherId },
        ["pulse.ConversationMemberInfo"] = new ConversationMemberInfo(s_user, MemberRoles.Owner, 7),
        ["pulse.ConversationMembership"] = s_membership,
        ["pulse.ConversationOpened"] = new ConversationOpened(s_membership, s_run),
        ["pulse.ConversationRun"] = s_run,
        ["pulse.ConversationStart"] = new ConversationStart
        {
            Kind = ConversationKinds.Group, CreatorId = s_id, Title = "Team", Members = [s_otherId], NewcomersSee = NewcomersSee.SinceJoining,
        },
        ["pulse.ConversationSummary"] = s_summary,
        ["pulse.ConversationUser"] = s_user,
        ["pulse.InboxHint"] = new InboxHint { ConversationId = s_id, Head = 7, Recipients = [s_id], Own = [s_otherId] },
        ["pulse.InboxHint.2"] = new InboxHint { ConversationId = s_id, Head = 7, Recipients = [s_id], Own = [s_otherId], IsLarge = true },
        ["pulse.ListCursor"] = new ListCursor(s_at, s_id),
        ["pulse.LogPage"] = new LogPage
        {
            Error = ConversationError.NotFound, From = 2, Head = 7, Entries = [s_entry], HasBefore = true, HasAfter = true,
        },
        ["pulse.MemberOf"] = new MemberOf(s_id, s_otherId),
        ["pulse.MemberPage"] = new MemberPage(ConversationError.NotAMember, [new(s_user, MemberRoles.Owner, 7)], HasMore: true),
        ["pulse.MessageRange"] = new MessageRange { Before = 1, After = 2, Around = 3, Limit = 20 },
        ["pulse.MessageReaction"] = new MessageReaction("👍", 2, Mine: true),
        ["pulse.OwnMessage"] = new OwnMessage(s_id, s_entry),
        ["pulse.ReachableUsers"] = new ReachableUsers([s_id], [s_otherId]),
        ["pulse.ReachableUsers.2"] = new ReachableUsers([s_id], [s_otherId], [s_id]),
        ["pulse.ReadAnswer"] = new ReadAnswer { Error = ConversationError.InvalidArgument, Read = 7, Unread = new(3, More: true, 1) },
        ["pulse.ReadMarker"] = new ReadMarker(s_id, 7),
        ["pulse.SyncItem"] = new SyncItem(s_id, 7, 5),
        ["pulse.SyncedConversation"] = new SyncedConversation
        {
            Id = s_id, Head = 7, From = 2, Read = 5, Entries = [s_entry], TooFar = true, Gone = true, Reset = true,
        },
        ["pulse.UnreadCount"] = new UnreadCount(3, More: true, 1),
        ["pulse.ExternalAccount"] = new ExternalAccount { Provider = "google", ProviderAccountId = "110169484474386276334", Type = "oidc" },
        ["pulse.ExternalAccount.2"] = new ExternalAccount
        {
            Provider = "google", ProviderAccountId = "1", Type = "oidc", LinkId = s_otherId, Email = "ada@example.com", LinkedAt = s_at,
        },
        ["pulse.KeyRingState"] = new KeyRingState { Keys = new() { ["key-1"] = "<key id=\"1\" />", ["key-2"] = "<key id=\"2\" />" } },
        ["pulse.PresenceSnapshot"] = new PresenceSnapshot
        {
            UserId = s_id, Status = PresenceStatus.Away, Message = "Ω", LastSeenAt = s_at, Version = 638_999_999_999_999_999, OwnStatus = PresenceStatus.Invisible,
            IsProvisional = true,
        },
        ["pulse.PresenceSnapshot.2"] = new PresenceSnapshot { UserId = s_id, Status = PresenceStatus.Offline, VersionForOthers = 638_999_999_999_999_998 },
        ["pulse.ProfileSyncResult"] = new ProfileSyncResult(ProfileSyncOutcome.Updated, s_ada),
        ["pulse.ProfileSyncResult.2"] = new ProfileSyncResult(ProfileSyncOutcome.Updated, FormerEmail: "old@example.com"),
        ["pulse.ProfileSyncResult.3"] = new ProfileSyncResult(ProfileSyncOutcome.Updated, s_ada, Joined: true),
        ["pulse.ProfileUpdate"] = new ProfileUpdate { Email = "ada@example.com", EmailVerified = true, Name = "Ada", Avatar = "https://example.com/ada.png", RemoveAvatar = true },
        ["pulse.ProfileUpdate.2"] = new ProfileUpdate { JoinsByEmail = true, EditsName = true, EditsAvatar = true, FromSignIn = true },
        ["pulse.ProfileUpdate.3"] = new ProfileUpdate { Email = "ada@example.com", KnownUserOnly = true },
        ["pulse.ProfileUpdate.5"] = new ProfileUpdate { Email = "ada@example.com", EmailVerified = true, ConfirmedInSession = s_id },
        ["pulse.ProfileUpdate.4"] = new ProfileUpdate { TokenIssuedAt = s_at, TokensNotBefore = s_at.AddDays(-1) },
        ["pulse.SessionStart"] = new SessionStart { TokenHash = [.. Enumerable.Range(0, 32).Select(i => (byte)i)], Device = "Mozilla/5.0", Address = "192.0.2.1" },
        ["pulse.SessionStart.2"] = new SessionStart { TokenHash = [1], Account = "google\n110169484474386276334" },
        ["pulse.SessionStart.3"] = new SessionStart { TokenHash = [2], At = s_at },
        ["pulse.SignInLink"] = new SignInLink(SignInLinkState.Good, "ada@example.com"),
        ["pulse.SignInSession"] = new SignInSession
        {
            Id = s_otherId, CreatedAt = s_at, LastUsedAt = s_at.AddDays(1), ExpiresAt = s_at.AddDays(8), Device = "Mozilla/5.0", Address = "2001:db8::1", Renewed = true,
        },
        ["pulse.StoreUnavailableException"] = new StoreUnavailableException("timeout"),
        ["pulse.UserPage"] = new UserPage([new(s_id, "Ada", "https://example.com/ada.png"), new(s_otherId, "Bob", null)], HasMore: true),
        ["pulse.UserProfile"] = s_ada,
        ["pulse.UserProfile.2"] = s_ada with { DisabledAt = s_at.AddDays(2), TokensNotBefore = s_at.AddDays(-1) },
        ["pulse.UserRefusedException"] = new UserRefusedException(UserState.Disabled),
        ["pulse.WatchTableAnswer"] = new WatchTableAnswer
        {
            Generation = 7, Changes = [new PresenceSnapshot { UserId = s_id, Status = PresenceStatus.Online, Version = 638_999_999_999_999_999 }], Mark = 9,
        },
    };
}
