using Pulse.Conversations;
using Pulse.Grains.Conversations;
using Pulse.Grains.Tests.Users;
using Xunit;

namespace Pulse.Grains.Tests.Conversations;

/// <summary>Search in messages and the list of channels: what holds on PostgreSQL and on SQLite.</summary>
public abstract partial class ConversationStoreContract
{
    private static readonly string[] s_texts =
    [
        "The quick brown fox jumps over the lazy dog",
        "Deploy to https://example.com/releases/v1.2-rc3 at 12:30, don't wait",
        "Żółw i Äpfel, CAFÉ in Straße",
        "नमस्ते दुनिया",
        "สวัสดี ครับ",
        "你好世界。再见",
        "Привет, мир! שלום עולם مرحبا بالعالم",
        "foo_bar ﬁne e-mail ops@pulse.example",
        "AND or NOT near(a) * : & | ! ( ) <-> \\ ' \" --",
        "fox brown quick, in another order",
        "cafe\u0301 in two code points",
        "👍🎉",
    ];

    public static TheoryData<string, int[]> Queries => new()
    {
        // Words: all of them, in any order, without regard to case. The last one may be the beginning of a word.
        { "fox", [0, 9] },
        { "QUICK fox", [0, 9] },
        { "fox qui", [0, 9] },
        { "qui fox", [] },
        { "fox dog", [0] },
        { "ox", [] },

        // Quotation marks keep the order, and close a word. An open one is still being typed.
        { "\"brown fox\"", [0] },
        { "\"brown fo\"", [] },
        { "\"brown fo", [0] },
        { "“brown fox” lazy", [0] },
        { "\"fox\"", [0, 9] },
        { "\"fo\"", [] },
        { "\"\" fox \"\"", [0, 9] },

        // Punctuation divides words, in texts and in queries alike. What it divides in a query stays together.
        { "example", [1, 7] },
        { "example.com", [1] },
        { "https://example.com/releases", [1] },
        { "com.example", [] },
        { "v1.2", [1] },
        { "rc3", [1] },
        { "12:30", [1] },
        { "don't", [1] },
        { "foo_bar", [7] },
        { "bar", [7] },
        { "e-mail", [7] },
        { "mail", [7] },
        { "ops@pulse.example", [7] },
        { "fine", [7] },

        // Languages. A language without blanks is found from the beginning of a run of its characters.
        { "żółw", [2] },
        { "äpfel", [2] },
        { "café", [2, 10] },
        { "cafe\u0301", [2, 10] },
        { "cafe", [] },
        { "straße", [2] },
        { "नमस्ते", [3] },
        { "दुनि", [3] },
        { "สวัสดี", [4] },
        { "你好", [5] },
        { "再见", [5] },
        { "世界", [] },
        { "привет МИР", [6] },
        { "עולם", [6] },
        { "مرحبا", [6] },

        // Operators of PostgreSQL and of SQLite are plain text.
        { "AND", [8] },
        { "fox AND dog", [] },
        { "fox OR cat", [] },
        { "fox -dog", [0] },
        { "NOT", [8] },
        { "NEAR(a)", [8] },
        { "words:fox", [] },
        { "conversation:fox", [] },
        { "fox*", [0, 9] },
        { "fox:*", [0, 9] },
        { "^fox", [0, 9] },
        { "fox & !dog | ( <-> )", [0] },
        { "'fox'' \\' ; DROP TABLE entries; --", [] },
        { "{fox} + [dog] @ # $ % ~ `", [0] },

        // An emoji is no word, so this query finds nothing.
        { "👍", [] },
        { "&", [] },
        { "\"", [] },
        { "\"\"\"", [] },
        { "*", [] },
        { "\u0301", [] },

        // One character that stands for five. PostgreSQL ignores words of more than 2,047 bytes.
        { "fox " + new string('㌀', 196), [] },
    };

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task Search_FindsTextsOfAllTerms(string query, int[] expected)
    {
        var (user, id) = await TextsAsync();

        var page = await Store.SearchAsync(user, new() { Text = query, ConversationId = id });

        Assert.Equal(ConversationError.None, page.Error);
        Assert.Equal(expected, page.Hits.Select(hit => (int)hit.Seq - 2).Order());
        Assert.All(page.Hits, hit => Assert.Equal((id, user, s_texts[hit.Seq - 2]), (hit.ConversationId, hit.SenderId, hit.Snippet)));
    }

    [Fact]
    public async Task Search_ForWhatTheIndexHoldsBesidesWords_FindsNothing()
    {
        var (id, user) = await CreateAsync();
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(Messages(id, await ClaimAsync(id), user, 1)));

        foreach (var query in new[] { $":c{id}", $"{id}", $"{id:N}", $"{id:N}"[..2], "c", "h", "d", ":", ":c", ":h", ":d" })
            Assert.Empty((await Store.SearchAsync(user, new() { Text = query })).Hits);
        Assert.Single((await Store.SearchAsync(user, new() { Text = "m" })).Hits);
    }

    [Fact]
    public async Task Search_FollowsEditsAndDeletions()
    {
        var (id, creator) = await CreateAsync();
        var run = new Run(id, await ClaimAsync(id), creator);
        var edited = run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "alpha" });
        var deleted = run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "alpha gone" });
        run.Add(new() { Kind = EntryKinds.Edit, Target = edited, Body = "beta" });
        run.Add(new() { Kind = EntryKinds.Edit, Target = deleted, Body = "alpha edited" });
        run.Add(new() { Kind = EntryKinds.Delete, Target = deleted, Body = ConversationBodies.Deleted(creator) });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));

        Assert.Empty(await SearchAsync(creator, "alpha"));
        Assert.Empty(await SearchAsync(creator, "edited"));
        Assert.Equal([edited], await SearchAsync(creator, "beta"));
    }

    [Fact]
    public async Task Search_AfterTheErasureOfASender_FindsNoTextOfTheSender()
    {
        var (id, creator) = await CreateAsync();
        var (claimed, member) = (await ClaimAsync(id), await AddUserAsync());
        var run = new Run(id, claimed, creator);
        run.Add(new() { Kind = EntryKinds.MemberAdded, Body = ConversationBodies.Member(member, "member") }, member, "member", 1);
        var own = run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "erased word" });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));
        Assert.Equal([own], await SearchAsync(member, "erased"));

        var erasure = new Run(id, claimed with { Head = run.Head }, creator);
        erasure.Add(new() { Kind = EntryKinds.SenderErased, Body = "{}" });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(erasure.Done()));

        Assert.Empty(await SearchAsync(member, "erased"));
        Assert.Empty(await SearchAsync(creator, "erased"));
    }

    [Fact]
    public async Task Search_IsForPresentMembers_FromTheSeqThatTheyMayRead()
    {
        var (id, creator) = await CreateAsync();
        var (newcomer, removed, stranger) = (await AddUserAsync(), await AddUserAsync(), await AddUserAsync());
        var run = new Run(id, await ClaimAsync(id), creator);
        run.Add(new() { Kind = EntryKinds.MemberAdded, Body = ConversationBodies.Member(removed, "member") }, removed, "member", 1);
        var first = run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "secret plan" });
        run.Add(new() { Kind = EntryKinds.MemberAdded, Body = ConversationBodies.Member(newcomer, "member") }, newcomer, "member", run.Head + 1);
        var second = run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "secret plan again" });
        run.Add(new() { Kind = EntryKinds.MemberRemoved, Body = ConversationBodies.Removed(removed, creator) }, removed);
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));

        Assert.Equal([second, first], await SearchAsync(creator, "secret"));
        Assert.Equal([second], await SearchAsync(newcomer, "secret"));
        Assert.Empty(await SearchAsync(removed, "secret"));
        Assert.Empty(await SearchAsync(stranger, "secret"));
        foreach (var user in new[] { removed, stranger })
            Assert.Equal(ConversationError.NotFound, (await Store.SearchAsync(user, new() { Text = "secret", ConversationId = id })).Error);
        Assert.Equal(ConversationError.NotFound, (await Store.SearchAsync(creator, new() { Text = "secret", ConversationId = Guid.NewGuid() })).Error);
    }

    [Fact]
    public async Task Search_PagesMeet_NewestFirst_OverConversationsAndYears()
    {
        var user = await AddUserAsync();
        var sent = new List<(DateTimeOffset At, Guid Id, long Seq)>();

        // Within the first hour, and as far back as each of the slices of a search reaches.
        double[] ages = [0, 0.1, 1.5, 5, 20, 40, 24 * 6, 24 * 30, 24 * 70, 24 * 300, 24 * 500, 24 * 3_000];
        foreach (var odd in new[] { 0, 1 })
        {
            var (id, _) = await CreateAsync(user, TestUsers.Noon.AddYears(-10));
            var claimed = await ClaimAsync(id);
            foreach (var age in ages.Reverse().Where((_, i) => i % 2 == odd))
            {
                var at = TestUsers.Noon.AddHours(-age);
                var run = new Run(id, claimed, user, at);
                for (var i = 0; i < 3; i++) sent.Add((at, id, run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = $"needle {age}" })));
                Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));
                claimed = claimed with { Head = run.Head };
            }
        }

        var found = new List<(DateTimeOffset At, Guid Id, long Seq)>();
        SearchCursor? cursor = null;
        SearchPage page;
        do
        {
            page = await Store.SearchAsync(user, new() { Text = "needle", Limit = 5, Before = cursor });
            found.AddRange(page.Hits.Select(hit => (hit.SentAt, hit.ConversationId, hit.Seq)));

            // On a busy machine a search can end after its second, with fewer hits than asked for, or none.
            Assert.Equal(page.HasMore, page.Next is not null);
            cursor = page.Next;
        }
        while (page.HasMore);

        Assert.Equal(sent.OrderByDescending(message => message.At).ThenBy(message => message.Id.ToString()).ThenByDescending(message => message.Seq).Select(message => message.Seq), found.Select(message => message.Seq));
        Assert.Equal(sent.OrderByDescending(message => message.At).Select(message => message.At), found.Select(message => message.At));
    }

    [Fact]
    public async Task Search_ReadsThe200MostRecentConversations_AndAnEarlierOneByItsId()
    {
        var user = await AddUserAsync();
        var ids = new List<Guid>();
        for (var i = 0; i < 202; i++)
        {
            var (id, _) = await CreateAsync(user);
            var run = new Run(id, await ClaimAsync(id), user, TestUsers.Noon.AddMinutes(i));
            run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "everywhere" });
            Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));
            ids.Add(id);
        }

        var found = new List<Guid>();
        SearchCursor? cursor = null;
        for (var i = 0; i < 4; i++)
        {
            var page = await Store.SearchAsync(user, new() { Text = "everywhere", Limit = 50, Before = cursor });
            found.AddRange(page.Hits.Select(hit => hit.ConversationId));
            Assert.Equal(i < 3, page.HasMore);
            cursor = page.Next;
        }

        Assert.Equal(ids.AsEnumerable().Reverse().Take(200), found);
        Assert.Single((await Store.SearchAsync(user, new() { Text = "everywhere", ConversationId = ids[0] })).Hits);
    }

    [Fact]
    public async Task Channels_AreThoseThatTheUserMayJoin_ByTitle()
    {
        var (owner, user) = (await AddUserAsync(), await AddUserAsync());
        var mark = Guid.NewGuid().ToString("N");
        async Task<(Guid Id, Run Run)> Channel(string title)
        {
            var id = Guid.NewGuid();
            await Store.CreateAsync(id, new() { Kind = ConversationKinds.Channel, CreatorId = owner, Title = $"{title} {mark}" }, TestUsers.Noon);
            return (id, new Run(id, await ClaimAsync(id), owner));
        }

        var (open, (joined, inJoined), (barred, inBarred), (left, inLeft), (closed, inClosed)) =
            ((await Channel("beta")).Id, await Channel("joined"), await Channel("barred"), await Channel("Äther"), await Channel("closed"));
        var alpha = (await Channel("Alpha")).Id;
        await Store.CreateAsync(Guid.NewGuid(), new() { Kind = ConversationKinds.Group, CreatorId = owner, Title = $"group {mark}" }, TestUsers.Noon);
        foreach (var run in new[] { inJoined, inBarred, inLeft })
            run.Add(new() { Kind = EntryKinds.MemberAdded, Body = ConversationBodies.Member(user, "member") }, user, "member", 1);
        inBarred.Add(new() { Kind = EntryKinds.MemberRemoved, Body = ConversationBodies.Removed(user, owner) }, user);
        inClosed.Add(new() { Kind = EntryKinds.Closed, Body = "{}" });
        foreach (var run in new[] { inJoined, inBarred, inLeft, inClosed }) Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));

        // This member leaves by itself, so the remover is the same user.
        var leaving = new Run(left, await ClaimAsync(left), user);
        leaving.Add(new() { Kind = EntryKinds.MemberRemoved, Body = ConversationBodies.Removed(user, user) }, user);
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(leaving.Done()));

        var all = await Store.ListChannelsAsync(user, new() { Title = mark });
        Assert.Equal([alpha, open, left], all.Channels.Select(channel => channel.Id));
        Assert.All(all.Channels, channel => Assert.Equal(owner, channel.CreatorId));
        Assert.Equal($"Alpha {mark}", all.Channels[0].Title);
        Assert.Equal((false, 1, 1), (all.HasMore, all.Channels[0].Members, all.Channels[2].Members));
        Assert.Equal([left], (await Store.ListChannelsAsync(user, new() { Title = $"ÄTHER {mark.ToUpperInvariant()}" })).Channels.Select(channel => channel.Id));
        Assert.Empty((await Store.ListChannelsAsync(user, new() { Title = $"%{mark}" })).Channels);

        // Strangers learn of the creator for the sake of the policy, of channels only.
        Assert.Equal(new(ConversationError.NotAMember, null) { ChannelCreatorId = owner }, await Store.FindAsync(user, open));
        Assert.Equal(new(ConversationError.NotFound, null), await Store.FindAsync(user, (await CreateAsync(owner)).Id));
        Assert.Null((await Store.FindAsync(owner, open)).ChannelCreatorId);

        var first = await Store.ListChannelsAsync(user, new() { Title = mark, Limit = 2 });
        Assert.True(first.HasMore);
        var second = await Store.ListChannelsAsync(user, new() { Title = mark, Limit = 2, After = new(first.Channels[1].Title, first.Channels[1].Id) });
        Assert.Equal([left], second.Channels.Select(channel => channel.Id));
        Assert.False(second.HasMore);
    }

    private async Task<long[]> SearchAsync(Guid user, string text) =>
        [.. (await Store.SearchAsync(user, new() { Text = text })).Hits.Select(hit => hit.Seq)];

    /// <summary>A conversation with <see cref="s_texts"/>, from seq 2 on.</summary>
    private async Task<(Guid User, Guid Id)> TextsAsync()
    {
        var (id, user) = await CreateAsync();
        var run = new Run(id, await ClaimAsync(id), user);
        foreach (var text in s_texts) run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = text });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));
        return (user, id);
    }
}
