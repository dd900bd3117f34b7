namespace Pulse.Web.Demo;

/// <summary>What simulated people say.</summary>
internal static class DemoLines
{
    /// <summary>The talks of the group. A talk is repeated only after all others.</summary>
    public static IReadOnlyList<DemoLine[]> Group { get; } =
    [
        [
            new(0, "Morning! Are we still on for the hike on Saturday?"),
            new(1, "Yes! I checked the weather: dry until four.", Reaction: "☀️"),
            new(2, "I can bring the big thermos."),
            new(0, "You are a hero.", IsReply: true, Reaction: "❤️"),
            new(1, "The 8:40 train then, platform 2?", Typo: "The 8:40 train then, platform 3?"),
            new(2, "Works for me.", Reaction: "👍"),
        ],
        [
            new(0, "Which route did we say, the lake or the ridge?"),
            new(1, "The ridge has the better view."),
            new(2, "The lake has the better cake. 🍰", Reaction: "😂"),
            new(0, "A strong argument.", IsReply: true),
            new(1, "Fine: up by the ridge, down by the lake. About 14 km.", Reaction: "🎉"),
        ],
        [
            new(0, "Does somebody have a spare pair of poles?"),
            new(1, "I have two pairs. I'll bring both."),
            new(0, "Thank you!", IsReply: true, Reaction: "👍"),
            new(2, "Sun cream, please. Last time I looked like a traffic light.", Reaction: "😂"),
        ],
        [
            new(0, "Photos of last time are in the album now."),
            new(1, "The one with the goat!", Reaction: "😂"),
            new(2, "That goat ate my sandwich."),
            new(1, "It looked happy, though.", IsReply: true),
        ],
        [
            new(0, "How many are we on Saturday? I would like to book a table for lunch."),
            new(1, "I count six."),
            new(2, "Seven, my sister comes along.", IsReply: true, Reaction: "🎉"),
            new(0, "Seven it is. Booked for half past twelve.", Reaction: "👏"),
        ],
        [
            new(0, "Is the path open again after the storm?"),
            new(1, "The ranger says yes, with a detour of ten minutes at the bridge."),
            new(2, "Good boots then.", IsReply: true),
            new(0, "See you at the station."),
        ],
    ];

    /// <summary>Talk of the channel.</summary>
    public static IReadOnlyList<DemoLine[]> Channel { get; } =
    [
        [
            new(0, "The coffee machine on the second floor works again."),
            new(1, "Finally!", Reaction: "🎉"),
            new(2, "Who do we have to thank?"),
            new(0, "A new gasket and half an hour of patience.", IsReply: true, Reaction: "👏"),
        ],
        [
            new(0, "What does everyone read at the moment?"),
            new(1, "A book about octopuses. They taste with their arms."),
            new(2, "I will never look at my arms the same way.", IsReply: true, Reaction: "😂"),
            new(0, "Onto the list it goes.", Typo: "Onto the list it gose."),
        ],
        [
            new(0, "Release 4.2 is out. Quiet so far."),
            new(1, "Don't say it!", Reaction: "😂"),
            new(0, "Dashboards are green: p99 at 18 ms."),
            new(2, "Nice work, everyone.", Reaction: "🚀"),
        ],
        [
            new(0, "Does the tram run today?"),
            new(1, "Every twenty minutes. I cycled, it was faster."),
            new(2, "In this rain?"),
            new(1, "There is no bad weather…", IsReply: true, Reaction: "☔"),
        ],
        [
            new(0, "Lunch at the market, who joins?"),
            new(1, "Me!"),
            new(2, "Me too, in five minutes.", Reaction: "👍"),
            new(0, "I'll wait at the door."),
        ],
        [
            new(0, "The link to the talk about conflict-free data types: https://example.com/talks/crdt"),
            new(1, "Watched it yesterday. The part about deletions is worth the hour.", IsReply: true),
            new(2, "Saved for the train.", Reaction: "👀"),
        ],
        [
            new(0, "Small poll: stand-up at 9:30 or at 10?"),
            new(1, "10", Reaction: "👍"),
            new(2, "10, please."),
            new(0, "10 it is. Democracy was quick today.", Reaction: "😂"),
        ],
    ];

    /// <summary>The first message to a new user.</summary>
    public static string Welcome(string name) =>
        $"Hi {FirstName(name)}, welcome! I have added you to our group for the hike. Write to me here, I'll answer. (I'm simulated, and not a great talker.)";

    /// <summary>An answer to that text.</summary>
    public static string AnswerTo(string text, string name)
    {
        // Words are compared whole: "this" is no "hi".
        var words = $" {string.Concat(text.ToLowerInvariant().Select(letter => char.IsLetter(letter) ? letter : ' '))} ";
        var isAbout = (params string[] topics) => topics.Any(topic => words.Contains($" {topic} ", StringComparison.Ordinal));
        return isAbout("thank", "thanks", "thx", "danke") ? OneOf("You're welcome!", "Any time.", "My pleasure. 😊")
            : isAbout("hike", "saturday", "route", "train") ? OneOf("The 8:40 train on Saturday. Come along!", "The ridge, then the lake. Bring good boots.", "There is still a seat at lunch for you.")
            : isAbout("how are you", "how is it", "wie geht") ? OneOf("Very well, thanks! And you?", "Busy, but good. How about you?")
            : isAbout("bye", "see you", "tschüss") ? OneOf("See you!", "Bye, talk soon.")
            : text.Contains('?') ? OneOf("Good question. Let me think about it.", "I would say yes. What do you think?", "I'm not sure. Perhaps somebody in #Coffee corner knows.", "Ask me again after my coffee. ☕")
            : isAbout("hello", "hi", "hey", "hallo", "morning") ? OneOf($"Hi {FirstName(name)}!", $"Hello {FirstName(name)}, good to see you.", "Hey! How are you?")
            : OneOf("Sounds good.", "I see. Tell me more.", "Ha, same here.", "Interesting! I'll remember that.", "Agreed.", "Let me write that down. 📝");
    }

    /// <summary>The reactions to messages of real users.</summary>
    public static string Reaction() => OneOf("👍", "❤️", "🎉", "👀");

    private static string FirstName(string name) => name.Split(' ', 2)[0];

    private static string OneOf(params string[] texts) => texts[Random.Shared.Next(texts.Length)];
}

/// <summary>One message of a talk.</summary>
/// <param name="Speaker">Which of the talk's people says it, from 0.</param>
/// <param name="Text">The text in the end.</param>
/// <param name="IsReply">It answers the message before.</param>
/// <param name="Reaction">With this emoji another one of them reacts.</param>
/// <param name="Typo">The text before an edit.</param>
internal sealed record DemoLine(int Speaker, string Text, bool IsReply = false, string? Reaction = null, string? Typo = null);
