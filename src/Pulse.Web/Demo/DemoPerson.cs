using Pulse.Users;

namespace Pulse.Web.Demo;

/// <summary>A simulated user with a constant id and address, so that a restart reuses the users.</summary>
internal sealed class DemoPerson
{
    private static readonly string[] s_names =
    [
        "Amara Okafor", "Anders Holm", "Aoife Brennan", "Beatriz Salgado", "Bruno Keller", "Camille Laurent", "Carlos Mendoza", "Chiara Rossi",
        "Daniel Novák", "Deepa Krishnan", "Diego Fuentes", "Elif Demir", "Emeka Nwosu", "Emma Lindqvist", "Farid Rahimi", "Fatima Zahra Alami",
        "Freya Nielsen", "Gabriela Popescu", "Haruto Sato", "Hannah Weiss", "Ibrahim Diallo", "Ingrid Solberg", "Isabel Moreau", "Jakub Wójcik",
        "Jasmine Clarke", "João Ferreira", "Jun Tanaka", "Kwame Mensah", "Lars Eriksen", "Leila Haddad", "Linh Tran", "Lucía Herrera",
        "Maja Kovač", "Marcus Whitfield", "Mei Chen", "Mikko Virtanen", "Nadia Petrova", "Noah Fischer", "Omar Farouk", "Olena Shevchenko",
        "Priya Nair", "Rafael Costa", "Rosa Delgado", "Samuel Osei", "Sofia Papadaki", "Takeshi Mori", "Tereza Dvořák", "Tomás Byrne",
        "Yasmin Aziz", "Zuri Kamau",
    ];

    private DemoPerson(string name, int number)
    {
        Id = new Guid($"01a20000-0000-7000-8000-{number:x12}");
        // example.com is reserved (RFC 2606 section 3).
        Profile = new() { Email = $"person-{number}@demo.example.com", Name = name };
    }

    /// <summary>All simulated users.</summary>
    public static IReadOnlyList<DemoPerson> Everybody { get; } = [.. s_names.Select((name, index) => new DemoPerson(name, index + 1))];

    private static readonly Dictionary<Guid, DemoPerson> s_byId = Everybody.ToDictionary(person => person.Id);

    /// <summary>The simulated user with that id, or <see langword="null"/>.</summary>
    public static DemoPerson? Find(Guid id) => s_byId.GetValueOrDefault(id);

    /// <summary>User id.</summary>
    public Guid Id { get; }

    /// <summary>Name and address.</summary>
    public ProfileUpdate Profile { get; }
}
